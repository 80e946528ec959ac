// Numbers and times with one writer, which other threads may read at any moment: plain additions,
// no locked instruction, and never half a value. Relaxed, as nothing else is ordered by them.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace ipop::engine {

class OwnedCounter {
 public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Epoch = never.
class OwnedTime {
 public:
  void set(Instant at) noexcept {
    value_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }
  [[nodiscard]] Instant get() const noexcept {
    return Instant(Duration(value_.load(std::memory_order_relaxed)));
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace ipop::engine
