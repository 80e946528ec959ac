#include "engine/port/ethdev_port.hpp"

#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

CardChecks checks_of(const rte_mbuf* frame) noexcept {
  const std::uint64_t flags = frame->ol_flags;
  return {.ip = (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD,
          .udp = (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD,
          .vlan = (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0
                      ? static_cast<std::uint16_t>(frame->vlan_tci & 0x0fff)
                      : kNoVlan};
}

constexpr WireEvent event_of(LinkVerdict verdict) noexcept {
  switch (verdict) {
    case LinkVerdict::kNeighbour:
      return WireEvent::kNeighbour;
    case LinkVerdict::kEcho:
      return WireEvent::kEcho;
    case LinkVerdict::kNotOurs:
      return WireEvent::kNotOurs;
    case LinkVerdict::kFragment:
      return WireEvent::kFragment;
    case LinkVerdict::kMalformed:
      return WireEvent::kMalformed;
    case LinkVerdict::kBadChecksum:
      return WireEvent::kBadChecksum;
    case LinkVerdict::kDatagram:
    case LinkVerdict::kOther:
      break;
  }
  return WireEvent::kOther;
}

}  // namespace

EthdevPort::EthdevPort(const EthdevPortSettings& settings)
    : EthdevPort(std::make_shared<EthdevStation>(settings)) {}

EthdevPort::EthdevPort(std::shared_ptr<EthdevStation> station)
    : station_(std::move(station)),
      queue_(station_->take_queue()),
      device_id_(device().id()),
      mtu_(station_->settings().device.mtu),
      ports_(station_->ports()),
      card_(device().offloads()),
      stack_(station_->link()),
      plain_(stack_.settings()),
      reading_(station_->begin_reading()) {
  for (const Prefix& own : stack_.settings().addresses)
    ways_.emplace_back(device().mac(), stack_.settings().vlan, own);
}

std::unique_ptr<EthdevPort> EthdevPort::further_queue() {
  return std::unique_ptr<EthdevPort>(new EthdevPort(station_));
}

void EthdevPort::attach(const PacketPools& pools) {
  pool_ = pools.packets;
  if (is_first()) station_->start(pool_);
}

void EthdevPort::release_buffers() noexcept {
  waiting_.drop_all();
  rte_pktmbuf_free_bulk(early_.data(), std::exchange(early_count_, 0));
  if (!std::exchange(left_, true)) station_->leave_queue();
}

// Inline for what a call costs.
inline bool EthdevPort::accept(rte_mbuf* frame, const PlainDatagram& datagram) noexcept {
  const int socket = ports_.socket_at(datagram.port);
  if (socket < 0) [[unlikely]] {
    count(WireEvent::kOther);
    rte_pktmbuf_free(frame);
    return false;
  }
  Endpoint& source = meta(frame).endpoint;
  source = datagram.source;
  source.socket = static_cast<std::uint16_t>(socket);
  frame->data_off = static_cast<std::uint16_t>(frame->data_off + datagram.start);
  set_length(frame, datagram.length);
  return true;
}

inline bool EthdevPort::receive(rte_mbuf* frame) noexcept {
  const CardChecks checked = checks_of(frame);
  // What a driver leaves there is not meant for whoever sends the buffer on.
  frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  frame->tx_offload = 0;
  PlainDatagram datagram;
  if (frame->nb_segs == 1 && plain_.parse(bytes_of(frame), checked, datagram)) [[likely]] {
    return accept(frame, datagram);
  }
  return receive_other(frame, checked);
}

std::uint16_t EthdevPort::rx_burst(const PacketPools&, std::span<rte_mbuf*> into) noexcept {
  if (station_->has_news(reading_)) [[unlikely]]
    hear_news();
  const auto most = static_cast<std::uint16_t>(std::min<std::size_t>(into.size(), kBurst));
  std::uint16_t count = early_count_;
  if (count == 0) [[likely]] {
    count = rte_eth_rx_burst(device_id_, queue_, into.data(), most);
  } else {
    count = std::min(count, most);
    const auto rest = std::ranges::copy_n(early_.begin(), count, into.begin()).in;
    std::copy(rest, early_.begin() + early_count_, early_.begin());
    early_count_ = static_cast<std::uint16_t>(early_count_ - count);
  }
  std::uint16_t kept = 0;
  for (std::uint16_t i = 0; i < count; ++i)
    rte_prefetch0(rte_pktmbuf_mtod(into[i], void*));
  for (std::uint16_t i = 0; i < count; ++i) {
    if (receive(into[i])) into[kept++] = into[i];
  }
  return kept;
}

bool EthdevPort::receive_other(rte_mbuf* frame, CardChecks checked) noexcept {
  LinkStack::Reply reply;
  const bool whole = frame->nb_segs == 1;
  const auto received = whole ? stack_.receive(bytes_of(frame), checked, reply, now_)
                              : LinkStack::Received{.verdict = LinkVerdict::kMalformed};
  if (received.verdict == LinkVerdict::kDatagram) {
    const UdpPacket& udp = received.datagram;
    return accept(frame, {.source = udp.source,
                          .port = udp.destination.port,
                          .start = static_cast<std::uint16_t>(received.ip + udp.start),
                          .length = udp.length});
  }
  count(event_of(received.verdict));
  if (received.verdict == LinkVerdict::kEcho) {
    (void)transmit({&frame, 1});
    return false;
  }
  if (received.verdict == LinkVerdict::kNeighbour) forget_neighbours();
  if (received.news) station_->tell(queue_, *received.news);
  rte_pktmbuf_free(frame);
  if (received.reply_size != 0) send_frame(ByteView(reply).first(received.reply_size));
  if (received.found_neighbour) send_waiting();
  return false;
}

void EthdevPort::hear_news() noexcept {
  bool found = false;
  station_->read(queue_, reading_,
                 [&](const NeighbourNews& news) { found |= stack_.learn(news, now_); });
  forget_neighbours();
  if (found) send_waiting();
}

void EthdevPort::ask() noexcept {
  stack_.tick(
      now_, [this](ByteView question) { send_frame(question); },
      [this](const IpAddress& lost) { count(WireEvent::kUnresolved, waiting_.drop(lost)); });
}

std::size_t EthdevPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  std::size_t count = 0;
  if (const int card = device().interrupt_fd(queue_); card >= 0) into[count++] = card;
  for (const int socket : device().sockets(queue_)) {
    if (count < into.size()) into[count++] = socket;
  }
  return count;
}

void EthdevPort::tick(Instant now) noexcept {
  now_ = now;
  forget_neighbours();
  if (!std::exchange(announced_, true) && is_first()) {
    stack_.announce([this](ByteView frame) { send_frame(frame); });
  }
  ask();
  if (!waiting_.empty()) count(WireEvent::kUnresolved, waiting_.drop_older(now - kPatience));
  events_[static_cast<std::size_t>(WireEvent::kConflict)].set(stack_.conflicts());
}

void EthdevPort::forget_neighbours() noexcept {
  for (Way& way : ways_)
    way.forget();
}

bool EthdevPort::arm() noexcept {
  if (device().interrupt_fd(queue_) < 0) return true;
  (void)rte_eth_dev_rx_intr_enable(device_id_, queue_);
  if (const int waiting = rte_eth_rx_queue_count(device_id_, queue_); waiting >= 0)
    return waiting == 0;
  // Of what came just before, no interrupt tells; and the drivers of virtio, ena and iavf do not
  // count either.
  receive_early();
  return early_count_ == 0;
}

void EthdevPort::disarm() noexcept {
  if (device().interrupt_fd(queue_) < 0) return;
  (void)rte_eth_dev_rx_intr_disable(device_id_, queue_);
  std::uint64_t times = 0;
  const bool came = ::read(device().interrupt_fd(queue_), &times, sizeof times) == sizeof times;
  if (!came || interrupts_work_) return;
  receive_early();
  interrupts_work_ = early_count_ != 0;
}

void EthdevPort::receive_early() noexcept {
  if (early_count_ == 0) early_count_ = rte_eth_rx_burst(device_id_, queue_, early_.data(), kBurst);
}

Duration EthdevPort::longest_sleep() const noexcept {
  const bool wakes =
      device().interrupt_fd(queue_) >= 0 ? interrupts_work_ : !device().sockets(queue_).empty();
  if (!wakes) return kLongestNap;
  if (!stack_.is_asking()) return Duration::max();
  // The answer comes to another queue, and wakes that one's lcore.
  return is_first() ? Neighbours::kRetry : kLongestNap;
}

WireEvents EthdevPort::events() const noexcept {
  WireEvents counts;
  for (std::size_t i = 0; i < kWireEventCount; ++i)
    counts[i] = events_[i].get();
  rte_eth_stats stats{};
  if (is_first() && rte_eth_stats_get(device_id_, &stats) == 0)
    counts[static_cast<std::size_t>(WireEvent::kMissed)] = stats.imissed + stats.rx_nombuf;
  return counts;
}

Result<std::uint16_t> EthdevPort::open_socket() {
  return station_->open_socket();
}

std::move_only_function<void()> EthdevPort::unlink_socket(std::uint16_t socket) {
  station_->close_socket(socket);
  return [] {};
}

}  // namespace ipop::engine
