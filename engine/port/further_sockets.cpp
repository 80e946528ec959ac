#include "engine/port/further_sockets.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {

FurtherSockets::FurtherSockets(const IpAddress& address, bool trains)
    : address_(address), trains_(trains), ready_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!ready_) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
}

Result<std::uint16_t> FurtherSockets::open() {
  std::size_t slot = next_;
  for (std::size_t tries = 0; owned_[slot]; slot = (slot + 1) % owned_.size()) {
    if (++tries == owned_.size()) return fail("all further sockets of the wire are in use");
  }
  auto channel = std::make_unique<UdpChannel>();
  try {
    auto fd = open_udp_socket({address_, 0}, kBufferBytes);
    if (!fd) return fail("this machine has no IPv4");
    channel->fd = std::move(*fd);
  } catch (const std::runtime_error& error) {
    return fail(error.what());
  }
  const TrainSupport trains = trains_ ? ask_for_trains(channel->fd) : TrainSupport{};
  channel->v4 = true;
  channel->segments = trains.send;
  channel->receives_trains = trains.receive;
  channel->number = static_cast<std::uint16_t>(slot + 1);
  // Watched before it is published: what comes in between is reported again.
  epoll_event event{.events = EPOLLIN, .data = {.u32 = channel->number}};
  if (epoll_ctl(ready_.get(), EPOLL_CTL_ADD, channel->fd.get(), &event) != 0)
    return fail_errno("epoll", errno);
  channels_[slot].store(channel.get(), std::memory_order_release);
  count_.fetch_add(1, std::memory_order_relaxed);
  owned_[slot] = std::move(channel);
  next_ = (slot + 1) % owned_.size();
  return static_cast<std::uint16_t>(slot + 1);
}

std::move_only_function<void()> FurtherSockets::unlink(std::uint16_t number) {
  const std::size_t slot = number - 1u;
  if (slot >= owned_.size() || channels_[slot].load(std::memory_order_relaxed) == nullptr)
    return [] {};
  channels_[slot].store(nullptr, std::memory_order_release);
  (void)epoll_ctl(ready_.get(), EPOLL_CTL_DEL, owned_[slot]->fd.get(), nullptr);
  count_.fetch_sub(1, std::memory_order_relaxed);
  return [this, slot] { owned_[slot].reset(); };
}

UdpChannel* FurtherSockets::find(std::uint16_t number) noexcept {
  const std::size_t slot = number - 1u;
  return slot < channels_.size() ? channels_[slot].load(std::memory_order_acquire) : nullptr;
}

std::uint16_t FurtherSockets::receive(const PacketPools& pools,
                                      std::span<rte_mbuf*> into) noexcept {
  if (into.empty() || count_.load(std::memory_order_relaxed) == 0) return 0;
  if (empty_ >= kPatient && ++turn_ % kSkip != 0) return 0;
  epoll_event events[kBurst];
  const int ready = epoll_wait(ready_.get(), events, static_cast<int>(std::size(events)), 0);
  std::size_t filled = 0;
  for (int i = 0; i < ready && filled < into.size(); ++i) {
    UdpChannel* const channel = find(static_cast<std::uint16_t>(events[i].data.u32));
    if (channel != nullptr) filled += channel->receive(spares_, pools, into.subspan(filled));
  }
  empty_ = filled == 0 ? empty_ + 1 : 0;
  return static_cast<std::uint16_t>(filled);
}

}  // namespace ipop::engine
