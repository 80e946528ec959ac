// Datagrams whose neighbour is being asked for, in the order in which they came. One lcore.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::engine {

class WaitingDatagrams {
 public:
  static constexpr std::size_t kMost = 64;

  ~WaitingDatagrams() { drop_all(); }

  // False, and it stays the caller's, if there is no room.
  [[nodiscard]] bool push(rte_mbuf* datagram, const IpAddress& next_hop, Instant now) noexcept;
  // Writes all to `into`, whose they are from now on; returns how many.
  [[nodiscard]] std::size_t take(std::span<rte_mbuf*, kMost> into) noexcept;
  // Frees those for this neighbour, or those that came before `then`; returns how many.
  std::size_t drop(const IpAddress& next_hop) noexcept;
  std::size_t drop_older(Instant then) noexcept;
  void drop_all() noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

 private:
  struct Waiting {
    rte_mbuf* datagram = nullptr;
    IpAddress next_hop;
    Instant since{};
  };
  template <typename Of>
  std::size_t drop_if(Of of) noexcept;

  std::array<Waiting, kMost> waiting_;
  std::size_t count_ = 0;
};

}  // namespace ipop::engine
