#include "engine/port/udp_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "engine/api/types.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/reuseport_choice.hpp"
#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {
namespace {

// With port 0 the number that the kernel chose for one family may be taken in the other.
constexpr int kPortTries = 16;

}  // namespace

UdpPort::UdpPort(const UdpSettings& settings) : settings_(settings) {
  if (settings.listen.empty()) throw std::runtime_error("overlay.listen names no address");
  for (const Endpoint& at : settings.listen) {
    if (at.port != settings.listen.front().port) {
      throw std::runtime_error("overlay.listen must name one port for all addresses");
    }
  }
  for (int tries = 1; !open_all(settings); ++tries) {
    if (tries == kPortTries) throw PortTaken("no UDP port is free in both address families");
  }
  if (settings.overlay_apart) set_overlay_apart();
  for (const Endpoint& at : bound_) {
    if (at.address.is_v4()) senders_ = &further_.emplace(at.address, settings.trains);
  }
  if (settings.lane_ports != 0) {
    lane_senders_ =
        &lanes_.emplace(bound_, settings.lane_ports, settings.buffer_bytes, settings.trains);
  }
}

UdpPort::UdpPort(FurtherQueue, UdpPort& first)
    : settings_(first.settings_), senders_(first.senders_), lane_senders_(first.lane_senders_) {
  for (const Endpoint& at : first.bound_) {
    std::optional<Fd> fd = open_udp_socket(at, settings_.buffer_bytes, PortUse::kShared);
    if (!fd) throw std::runtime_error("UDP port " + at.to_string() + " cannot be opened again");
    add_socket(std::move(*fd), at);
  }
}

std::unique_ptr<UdpPort> UdpPort::further_queue() {
  std::unique_ptr<UdpPort> queue(new UdpPort(FurtherQueue{}, *this));
  ++queues_;
  if (overlay_ && !choose_by_kind(queues_)) {
    throw std::runtime_error("the kernel does not give each flow of UDP port " +
                             bound_.front().to_string() + " to one lcore");
  }
  return queue;
}

// Its sockets are the second ones of the port.
void UdpPort::set_overlay_apart() {
  for (const Socket& socket : sockets_)
    share_port(socket.channel.fd);
  overlay_.emplace(bound_, settings_.trains);
  if (!choose_by_kind(1)) overlay_.reset();
}

bool UdpPort::choose_by_kind(unsigned data_sockets) noexcept {
  return std::ranges::all_of(sockets_, [&](const Socket& socket) {
    return engine::choose_by_kind(socket.channel.fd, socket.channel.v4, data_sockets);
  });
}

void UdpPort::release_buffers() noexcept {
  for (Socket& socket : sockets_)
    socket.spares.release();
  if (overlay_) overlay_->release_buffers();
  if (further_) further_->release_buffers();
}

bool UdpPort::open_all(const UdpSettings& settings) {
  sockets_.clear();
  bound_.clear();
  std::uint16_t port = settings.listen.front().port;
  const bool chosen_by_kernel = port == 0;
  for (const Endpoint& at : settings.listen) {
    std::optional<Fd> fd;
    try {
      fd = open_udp_socket({at.address, port}, settings.buffer_bytes);
    } catch (const PortTaken&) {
      if (chosen_by_kernel) return false;
      throw;
    }
    if (!fd) {
      if (settings.allow_missing_family) continue;
      throw std::runtime_error("this machine has no " +
                               std::string(at.address.is_v4() ? "IPv4" : "IPv6") + " for " +
                               at.to_string() + " in overlay.listen");
    }
    port = local_port(*fd);
    // Only now that nobody else has it, who may share it, too.
    if (settings.shares_port) share_port(*fd);
    add_socket(std::move(*fd), {at.address, port});
  }
  if (sockets_.empty()) {
    throw std::runtime_error("this machine has none of the address families in overlay.listen");
  }
  return true;
}

void UdpPort::add_socket(Fd fd, const Endpoint& at) {
  const TrainSupport trains = settings_.trains ? ask_for_trains(fd) : TrainSupport{};
  sockets_.push_back({.channel = {.fd = std::move(fd),
                                  .v4 = at.address.is_v4(),
                                  .segments = trains.send,
                                  .receives_trains = trains.receive}});
  bound_.push_back(at);
}

std::uint16_t UdpPort::rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept {
  into = into.first(std::min<std::size_t>(into.size(), kBurst));
  const std::size_t others = overlay_ ? overlay_->receive(pools, into) : 0;
  const std::size_t data = receive_data(pools, into.subspan(others));
  if (overlay_ && data != 0) overlay_->pause();
  return static_cast<std::uint16_t>(others + data);
}

std::size_t UdpPort::receive_data(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept {
  const std::size_t most = into.size();
  std::size_t filled = 0;
  // The socket that comes first changes, so that a flood on one does not starve the others.
  const bool further_first = further_ && turn_ % 2 == 0;
  if (further_first) filled = further_->receive(pools, into);
  for (std::size_t i = 0; i < sockets_.size() && filled < most; ++i) {
    Socket& socket = sockets_[(first_ + i) % sockets_.size()];
    if (socket.channel.empty >= kPatient && turn_ % kSkip != 0) continue;
    filled += socket.channel.receive(socket.spares, pools, into.subspan(filled, most - filled));
  }
  if (further_ && !further_first)
    filled += further_->receive(pools, into.subspan(filled, most - filled));
  first_ = (first_ + 1) % sockets_.size();
  ++turn_;
  return filled;
}

UdpChannel* UdpPort::channel_for(const Endpoint& to) noexcept {
  const bool v4 = to.address.is_v4();
  if (to.socket > kLaneSockets)
    return lane_senders_ != nullptr ? lane_senders_->find(to.socket, v4) : nullptr;
  if (to.socket != 0) [[unlikely]]
    return senders_ != nullptr && v4 ? senders_->find(to.socket) : nullptr;
  for (Socket& socket : sockets_) {
    if (socket.channel.v4 == v4) return &socket.channel;
  }
  return nullptr;
}

void UdpPort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                       std::uint32_t& refused) noexcept {
  std::size_t done = 0;
  sent = refused = 0;
  while (done < datagrams.size()) {
    // A run by one socket goes in one call.
    UdpChannel* const channel = channel_for(meta(datagrams[done]).endpoint);
    std::uint32_t count = packet_count(datagrams[done]);
    std::size_t end = done + 1;
    for (; end < datagrams.size() && channel_for(meta(datagrams[end]).endpoint) == channel; ++end)
      count += packet_count(datagrams[end]);
    const std::uint32_t accepted =
        channel == nullptr ? 0 : channel->transmit(datagrams.subspan(done, end - done));
    sent += accepted;
    refused += count - accepted;
    done = end;
  }
  rte_pktmbuf_free_bulk(datagrams.data(), static_cast<unsigned>(datagrams.size()));
}

std::size_t UdpPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    into[i] = sockets_[i].channel.fd.get();
  std::size_t count = sockets_.size();
  if (overlay_) into[count++] = overlay_->wait_fd();
  if (further_) into[count++] = further_->wait_fd();
  return count;
}

bool UdpPort::arm() noexcept {
  if (overlay_) overlay_->arm();
  return true;
}

Duration UdpPort::longest_sleep() const noexcept {
  return overlay_ ? overlay_->longest_sleep() : Duration::max();
}

WireEvents UdpPort::events() const noexcept {
  WireEvents counts{};
  for (const Socket& socket : sockets_)
    counts[static_cast<std::size_t>(WireEvent::kMissed)] += socket.channel.missed();
  if (overlay_) counts[static_cast<std::size_t>(WireEvent::kOverlayMissed)] = overlay_->missed();
  return counts;
}

Result<std::uint16_t> UdpPort::open_socket() {
  if (!further_) return fail("overlay.listen names no IPv4 address");
  return further_->open();
}

std::move_only_function<void()> UdpPort::unlink_socket(std::uint16_t socket) {
  if (!further_) return [] {};
  return further_->unlink(socket);
}

}  // namespace ipop::engine
