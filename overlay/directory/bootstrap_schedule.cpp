#include "overlay/directory/bootstrap_schedule.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstDelay = 250ms;
constexpr Duration kLongestDelay = 10s;

}  // namespace

// 0.25, 0.5, 1, 2, 4, 8, 10, 10 … s, less up to a fifth, so that nodes that lost the same
// bootstrap node do not all come back at the same moments.
Duration BootstrapSchedule::delay_after(unsigned attempt) {
  const Duration whole = std::min(kLongestDelay, kFirstDelay * (1u << std::min(attempt, 8u)));
  std::uniform_int_distribution<std::int64_t> jitter(0, whole.count() / 5);
  return whole - Duration(jitter(random_));
}

BootstrapSchedule::Step BootstrapSchedule::step(bool good_nodes, Instant now) {
  const bool silent = now - last_heard_ >= limits_.isolated_after;
  const bool was_connected = std::exchange(connected_, good_nodes && !silent);
  if (!connected_) {
    if (was_connected) {
      attempt_ = 0;
      next_ = now;
      if (silent) ++isolations_;
    }
    if (now < next_) return Step::kNone;
    next_ = now + delay_after(attempt_++);
    return Step::kBootstrap;
  }

  attempt_ = 0;
  next_ = std::max(last_heard_ + limits_.probe_after, last_probe_ + limits_.probe_interval);
  if (now < next_) return Step::kNone;
  last_probe_ = now;
  next_ = now + limits_.probe_interval;
  return Step::kProbe;
}

}  // namespace ipop::overlay
