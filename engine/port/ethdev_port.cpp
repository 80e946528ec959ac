#include "engine/port/ethdev_port.hpp"

#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

std::uint16_t some_port() {
  std::random_device random;
  return static_cast<std::uint16_t>(32768 + random() % 16384);
}

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
    : device_(settings.device),
      ports_(settings.port == 0 ? some_port() : settings.port),
      stack_({.mac = device_.mac(),
              .vlan = settings.vlan,
              .addresses = settings.addresses,
              .gateways = settings.gateways,
              .answers = !settings.beside_kernel,
              .partial_checksums = device_.has_partial_checksums()}),
      plain_(stack_.settings()),
      beside_kernel_(settings.beside_kernel),
      mtu_(settings.device.mtu) {
  if (settings.addresses.empty()) throw std::runtime_error("wire.address names no address");
  for (const Prefix& own : settings.addresses) {
    ways_.emplace_back(device_.mac(), settings.vlan, own);
    bound_.push_back({own.address, ports_.main()});
  }
  if (!beside_kernel_) return;
  auto reserved = reserve(ports_.main());
  if (!reserved) {
    throw std::runtime_error("UDP port " + std::to_string(ports_.main()) +
                             " is in use by another program on this machine");
  }
  reserved_.emplace(0, std::move(*reserved));
}

std::optional<std::vector<ReservedPort>> EthdevPort::reserve(std::uint16_t port) const {
  std::vector<ReservedPort> reserved;
  for (const Endpoint& own : bound_) {
    auto one = ReservedPort::of({own.address, port});
    if (!one) return std::nullopt;
    reserved.push_back(std::move(*one));
  }
  return reserved;
}

Result<std::uint16_t> EthdevPort::open_socket() {
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto socket = ports_.open();
    if (!socket || !beside_kernel_) return socket;
    if (auto reserved = reserve(ports_.port_of(*socket))) {
      reserved_.emplace(*socket, std::move(*reserved));
      return socket;
    }
    ports_.close(*socket);
  }
  return fail("the kernel has no port free");
}

void EthdevPort::attach(const PacketPools& pools) {
  pool_ = pools.packets;
  device_.start(pool_);
}

void EthdevPort::release_buffers() noexcept {
  waiting_.drop_all();
  rte_pktmbuf_free_bulk(early_.data(), std::exchange(early_count_, 0));
  device_.stop();
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
  const auto most = static_cast<std::uint16_t>(std::min<std::size_t>(into.size(), kBurst));
  std::uint16_t count = early_count_;
  if (count == 0) [[likely]] {
    count = rte_eth_rx_burst(device_.id(), 0, into.data(), most);
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
  rte_pktmbuf_free(frame);
  if (received.reply_size != 0) send_frame(ByteView(reply).first(received.reply_size));
  if (received.found_neighbour) send_waiting();
  return false;
}

void EthdevPort::ask() noexcept {
  stack_.tick(
      now_, [this](ByteView question) { send_frame(question); },
      [this](const IpAddress& lost) { count(WireEvent::kUnresolved, waiting_.drop(lost)); });
}

std::size_t EthdevPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  std::size_t count = 0;
  if (device_.interrupt_fd() >= 0) into[count++] = device_.interrupt_fd();
  for (const int socket : device_.sockets()) {
    if (count < into.size()) into[count++] = socket;
  }
  return count;
}

void EthdevPort::tick(Instant now) noexcept {
  now_ = now;
  forget_neighbours();
  if (!std::exchange(announced_, true)) {
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
  if (device_.interrupt_fd() < 0) return true;
  (void)rte_eth_dev_rx_intr_enable(device_.id(), 0);
  if (const int waiting = rte_eth_rx_queue_count(device_.id(), 0); waiting >= 0)
    return waiting == 0;
  // Of what came just before, no interrupt tells; and the drivers of virtio, ena and iavf do not
  // count either.
  receive_early();
  return early_count_ == 0;
}

void EthdevPort::disarm() noexcept {
  if (device_.interrupt_fd() < 0) return;
  (void)rte_eth_dev_rx_intr_disable(device_.id(), 0);
  std::uint64_t times = 0;
  const bool came = ::read(device_.interrupt_fd(), &times, sizeof times) == sizeof times;
  if (!came || interrupts_work_) return;
  receive_early();
  interrupts_work_ = early_count_ != 0;
}

void EthdevPort::receive_early() noexcept {
  if (early_count_ == 0) early_count_ = rte_eth_rx_burst(device_.id(), 0, early_.data(), kBurst);
}

Duration EthdevPort::longest_sleep() const noexcept {
  const bool wakes = device_.interrupt_fd() >= 0 ? interrupts_work_ : !device_.sockets().empty();
  if (!wakes) return kLongestNap;
  return stack_.is_asking() ? Neighbours::kRetry : Duration::max();
}

WireEvents EthdevPort::events() const noexcept {
  WireEvents counts;
  for (std::size_t i = 0; i < kWireEventCount; ++i)
    counts[i] = events_[i].get();
  rte_eth_stats stats{};
  if (rte_eth_stats_get(device_.id(), &stats) == 0)
    counts[static_cast<std::size_t>(WireEvent::kMissed)] = stats.imissed + stats.rx_nombuf;
  return counts;
}

std::move_only_function<void()> EthdevPort::unlink_socket(std::uint16_t socket) {
  ports_.close(socket);
  reserved_.erase(socket);
  return [] {};
}

}  // namespace ipop::engine
