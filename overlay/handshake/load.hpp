// Whether this node is under load: then only initiations whose sender proved its address with a
// cookie are answered (WireGuard paper §5.3). Overlay thread; pure, no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.hpp"

namespace ipop::overlay::handshake {

// Counts initiations over a sliding second, in steps of a tenth. An initiation costs about 0.2 ms
// to answer, so that the default limit is a few per cent of a core.
class LoadGauge {
 public:
  static constexpr std::uint32_t kDefaultLimit = 200;  // per second

  explicit LoadGauge(std::uint32_t limit = kDefaultLimit) noexcept : limit_(limit) {}

  // An initiation with a valid mac1 arrived. True if the node is under load.
  bool count(Instant now) noexcept;
  // More than the limit came within the last second, or did so within the second before.
  [[nodiscard]] bool under_load(Instant now) const noexcept { return now < loaded_until_; }

 private:
  static constexpr std::size_t kSteps = 10;
  static constexpr Duration kWindow = std::chrono::seconds(1);
  static constexpr Duration kHysteresis = std::chrono::seconds(1);

  void advance(std::int64_t step) noexcept;

  std::uint32_t limit_;
  std::array<std::uint32_t, kSteps> counts_{};  // of the last kSteps steps, by step % kSteps
  std::uint32_t total_ = 0;                     // sum of counts_
  std::int64_t newest_step_ = 0;
  Instant loaded_until_ = Instant::min();
};

}  // namespace ipop::overlay::handshake
