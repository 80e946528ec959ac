#include "engine/port/overlay_sockets.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {

OverlaySockets::OverlaySockets(const std::vector<Endpoint>& bound, bool trains)
    : ready_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!ready_) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  channels_.reserve(bound.size());
  for (const Endpoint& at : bound) {
    std::optional<Fd> fd = open_udp_socket(at, kBufferBytes, PortUse::kShared);
    if (!fd) throw std::runtime_error("UDP port " + at.to_string() + " cannot be opened again");
    // The kernel joins datagrams of one flow before it chooses a socket, and only if whichever one
    // it meets takes trains: all of a port must.
    const bool receives = trains && ask_for_trains(*fd).receive;
    epoll_event event{.events = EPOLLIN,
                      .data = {.u32 = static_cast<std::uint32_t>(channels_.size())}};
    if (epoll_ctl(ready_.get(), EPOLL_CTL_ADD, fd->get(), &event) != 0)
      throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
    channels_.push_back(
        {.fd = std::move(*fd), .v4 = at.address.is_v4(), .receives_trains = receives});
  }
}

std::uint16_t OverlaySockets::receive(const PacketPools& pools,
                                      std::span<rte_mbuf*> into) noexcept {
  if (empty_ >= kPatient && ++turn_ % kSkip != 0) return 0;
  const Instant now = read_monotonic();
  if (now < pause_end_) return 0;
  watch(true);
  epoll_event events[2];
  const int ready = epoll_wait(ready_.get(), events, std::size(events), 0);
  const std::size_t most = std::min(into.size(), kMost);
  std::size_t filled = 0;
  for (int i = 0; i < ready && filled < most; ++i) {
    UdpChannel& channel = channels_[events[i].data.u32];
    filled += channel.receive(spares_, pools, into.subspan(filled, most - filled));
  }
  if (filled == 0) {
    ++empty_;
    return 0;
  }
  empty_ = 0;
  if (paused_reads_ != 0) {
    --paused_reads_;
    pause_end_ = now + kPause * filled / kMost;
  }
  return static_cast<std::uint16_t>(filled);
}

std::uint64_t OverlaySockets::missed() const noexcept {
  std::uint64_t sum = 0;
  for (const UdpChannel& channel : channels_)
    sum += channel.missed();
  return sum;
}

void OverlaySockets::arm() noexcept {
  const Duration left = pause_end_ - read_monotonic();
  longest_sleep_ = left > Duration::zero() ? left : Duration::max();
  watch(left <= Duration::zero());
}

void OverlaySockets::watch(bool on) noexcept {
  if (std::exchange(watched_, on) == on) return;
  for (std::uint32_t i = 0; i < channels_.size(); ++i) {
    epoll_event event{.events = on ? std::uint32_t{EPOLLIN} : 0u, .data = {.u32 = i}};
    (void)epoll_ctl(ready_.get(), EPOLL_CTL_MOD, channels_[i].fd.get(), &event);
  }
}

}  // namespace ipop::engine
