// How often one source may cost this node a handshake: 20 a second for an IPv4 address or an IPv6
// /64, 20 of them at once. Overlay thread; pure. The table has a fixed size and is kept clean by
// use alone: a source that rested is as good as one that was never seen, and its slot is free.
#pragma once

#include <sodium.h>

#include <array>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay::handshake {

class SourceLimiter {
 public:
  static constexpr std::size_t kMaxSources = 8192;
  static constexpr unsigned kPerSecond = 20;
  static constexpr unsigned kBurst = 20;

  SourceLimiter();

  // Takes one handshake from the source's allowance; false if there is none. Also false if the
  // table has no room for a new source: that takes thousands of busy ones.
  [[nodiscard]] bool allow(const IpAddress& source, Instant now) noexcept;
  // Refused for the lack of a slot, since the start.
  [[nodiscard]] std::uint64_t refused_for_room() const noexcept { return refused_for_room_; }

 private:
  // A token bucket as the one time at which it will be full again.
  struct Slot {
    IpAddress source;
    Instant full_at = Instant::min();
  };
  // A source's slot is one of the kWays of its set. The hash is keyed, so that nobody can choose
  // addresses that share a set.
  static constexpr std::size_t kWays = 32;
  static constexpr std::size_t kSets = kMaxSources / kWays;
  static_assert(kSets * kWays == kMaxSources);

  [[nodiscard]] std::span<Slot, kWays> set_of(const IpAddress& source) noexcept;

  std::array<std::uint8_t, crypto_shorthash_KEYBYTES> hash_key_{};
  std::vector<Slot> slots_;
  std::uint64_t refused_for_room_ = 0;
};

}  // namespace ipop::overlay::handshake
