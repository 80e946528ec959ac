#include "engine/port/waiting_datagrams.hpp"

#include <utility>

namespace ipop::engine {

bool WaitingDatagrams::push(rte_mbuf* datagram, const IpAddress& next_hop, Instant now) noexcept {
  if (count_ == kMost) return false;
  waiting_[count_++] = {datagram, next_hop, now};
  return true;
}

std::size_t WaitingDatagrams::take(std::span<rte_mbuf*, kMost> into) noexcept {
  for (std::size_t i = 0; i < count_; ++i)
    into[i] = waiting_[i].datagram;
  return std::exchange(count_, 0);
}

template <typename Of>
std::size_t WaitingDatagrams::drop_if(Of of) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (of(waiting_[i])) {
      rte_pktmbuf_free(waiting_[i].datagram);
    } else {
      waiting_[kept++] = waiting_[i];
    }
  }
  return std::exchange(count_, kept) - kept;
}

std::size_t WaitingDatagrams::drop(const IpAddress& next_hop) noexcept {
  return drop_if([&](const Waiting& each) { return each.next_hop == next_hop; });
}

std::size_t WaitingDatagrams::drop_older(Instant then) noexcept {
  return drop_if([&](const Waiting& each) { return each.since < then; });
}

void WaitingDatagrams::drop_all() noexcept {
  (void)drop_if([](const Waiting&) { return true; });
}

}  // namespace ipop::engine
