#include "base/clock.hpp"

#include <ctime>

namespace ipop {
namespace {

Duration read(clockid_t id) noexcept {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

Instant read_monotonic() noexcept {
  return Instant(read(CLOCK_MONOTONIC));
}

Now read_clock() noexcept {
  return {.mono = read_monotonic(), .wall = WallTime(read(CLOCK_REALTIME))};
}

}  // namespace ipop
