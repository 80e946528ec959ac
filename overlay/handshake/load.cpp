#include "overlay/handshake/load.hpp"

#include <utility>

namespace ipop::overlay::handshake {

bool LoadGauge::count(Instant now) noexcept {
  const std::int64_t step = now.time_since_epoch() / (kWindow / kSteps);
  advance(step);
  ++counts_[static_cast<std::uint64_t>(newest_step_) % kSteps];
  ++total_;
  if (total_ > limit_) loaded_until_ = now + kHysteresis;
  return under_load(now);
}

void LoadGauge::advance(std::int64_t step) noexcept {
  if (step - newest_step_ >= static_cast<std::int64_t>(kSteps)) {
    counts_ = {};
    total_ = 0;
    newest_step_ = step;
  }
  while (newest_step_ < step) {
    ++newest_step_;
    total_ -= std::exchange(counts_[static_cast<std::uint64_t>(newest_step_) % kSteps], 0);
  }
}

}  // namespace ipop::overlay::handshake
