// What gets through of the values under one key. Anybody can store anything there, by the thousand:
// a gate lets each value of a fitting size through once, so many a second, and remembers a bounded
// number. Overlay thread; pure: time is passed in.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_set>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace ipop::overlay {

class ValueGate {
 public:
  enum class Verdict : std::uint8_t {
    kPass,
    kDuplicate,
    kUnfit,    // empty, or larger than anything IPOP stores
    kTooMany,  // may pass when it is found again later
  };

  static constexpr std::size_t kMaxValue = 1200;
  static constexpr std::size_t kMaxRemembered = 2048;
  static constexpr unsigned kBurst = 512;
  static constexpr unsigned kPerSecond = 256;

  ValueGate();

  [[nodiscard]] Verdict check(ByteView value, Instant now);

 private:
  [[nodiscard]] bool spend(Instant now) noexcept;

  // Keyed, so that nobody can make a value that is taken for another.
  std::array<std::uint8_t, crypto_shorthash_KEYBYTES> key_;
  std::unordered_set<std::uint64_t> seen_;
  std::deque<std::uint64_t> order_;  // of seen_, oldest first
  double tokens_ = kBurst;
  Instant filled_{};
};

}  // namespace ipop::overlay
