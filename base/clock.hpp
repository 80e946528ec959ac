// Time as protocol code sees it: a value that is passed in. Only loops call `read_clock`, so that
// the same code runs under a virtual clock in a simulation.
#pragma once

#include <chrono>
#include <cstdint>

namespace ipop {

using Duration = std::chrono::nanoseconds;

struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

// Monotonic; its zero has no meaning. CLOCK_MONOTONIC in the product.
using Instant = MonotonicClock::time_point;
// Wall clock, UTC, nanoseconds since 1970.
using WallTime = std::chrono::sys_time<Duration>;

struct Now {
  Instant mono;
  WallTime wall;
};

[[nodiscard]] Now read_clock() noexcept;
[[nodiscard]] Instant read_monotonic() noexcept;

}  // namespace ipop
