// What may be relayed for others in a time, by all lcores together. The overlay thread sets the
// limit; without one nothing is counted. Any lcore fills it up, any takes from it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace ipop::engine {

class RelayBudget {
 public:
  // What may go at once where there is a limit: a tenth of a second's, but at least so much.
  static constexpr std::int64_t kLeastBurst = 128 * 1024;

  // Overlay thread. Bits a second; 0 = no limit.
  void set_limit(std::uint64_t bits_per_s) noexcept {
    // Relaxed, like all here: numbers by themselves.
    limit_.store(bits_per_s, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }

  // Lcore, before a burst, where there is a limit.
  void fill(std::uint64_t bits_per_s, Instant now) noexcept {
    const auto bytes_per_s = static_cast<std::int64_t>(bits_per_s / 8);
    const std::int64_t most = std::max(bytes_per_s / 10, kLeastBurst);
    std::int64_t filled = filled_.load(std::memory_order_relaxed);
    const Duration since =
        std::min<Duration>(now - Instant(Duration(filled)), std::chrono::seconds(1));
    const std::int64_t gained = bytes_per_s * (since / std::chrono::microseconds(1)) / 1'000'000;
    // Of several at once, one has it.
    if (gained <= 0 || !filled_.compare_exchange_strong(filled, now.time_since_epoch().count(),
                                                        std::memory_order_relaxed)) {
      return;
    }
    const std::int64_t before = bytes_.fetch_add(gained, std::memory_order_relaxed);
    if (before + gained > most) bytes_.fetch_sub(before + gained - most, std::memory_order_relaxed);
  }
  [[nodiscard]] bool take(std::int64_t bytes) noexcept {
    if (bytes_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes) return true;
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return false;
  }

 private:
  std::atomic<std::uint64_t> limit_{0};  // lcore: r, overlay: w
  alignas(64) std::atomic<std::int64_t> bytes_{0};
  std::atomic<std::int64_t> filled_{0};  // nanoseconds, as Instant counts them
};

}  // namespace ipop::engine
