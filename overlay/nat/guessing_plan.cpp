#include "overlay/nat/guessing_plan.hpp"

#include <algorithm>
#include <climits>
#include <cmath>

namespace ipop::overlay {
namespace {

using Kind = PortModel::Kind;

constexpr unsigned kRate = 125;
constexpr unsigned kRateBothHard = 250;
constexpr unsigned kRateThorough = 8000;
constexpr double kGoodChance = 0.5;

bool is_thorough(const GuessingEnd& ours, const GuessingEnd& theirs, std::chrono::seconds time) {
  return std::min(ours.effort, theirs.effort) == GuessingEffort::kThorough &&
         chance_of_meeting(ours.model, theirs.model, time) < kGoodChance;
}

}  // namespace

GuessingPlan guessing_plan(const GuessingEnd& ours, const GuessingEnd& theirs,
                           std::chrono::seconds time) noexcept {
  const auto seconds = static_cast<unsigned>(time.count());
  if (theirs.model.kind == Kind::kOne) return {kRate, kRate * seconds, kGuessingSockets};
  if (ours.model.kind == Kind::kOne) return {kRate, kRate * seconds, 0};
  if (is_thorough(ours, theirs, time))
    return {kRateThorough, std::min(kRateThorough * seconds, kMostGuesses), 0};
  const unsigned most = ours.model.kind == Kind::kAnyOf ? ours.model.ports() / 2 : UINT_MAX;
  return {kRateBothHard, std::min(kRateBothHard * seconds, most), 0};
}

double chance_of_meeting(const GuessingEnd& ours, const GuessingEnd& theirs,
                         std::chrono::seconds time) noexcept {
  const double a = guessing_plan(ours, theirs, time).probes;
  const double b = guessing_plan(theirs, ours, time).probes;
  const PortModel& here = ours.model;
  const PortModel& there = theirs.model;
  if (here.kind == Kind::kOne || there.kind == Kind::kOne) {
    const PortModel& hard = here.kind == Kind::kOne ? there : here;
    if (hard.kind != Kind::kAnyOf) return 1;
    const double ports = hard.ports();
    return 1 - std::exp(-std::min(a, b) * std::min<double>(kGuessingSockets, ports) / ports);
  }
  if (here.kind == Kind::kSteps && there.kind == Kind::kSteps) return 1;
  // Who steps is known to within a few ports at each moment: only the other's port is left to guess
  // for each datagram. Otherwise each pair of datagrams is a try.
  const double expected = here.kind == Kind::kSteps    ? std::min(a, b) / there.ports()
                          : there.kind == Kind::kSteps ? std::min(a, b) / here.ports()
                                                       : a * b / here.ports() / there.ports();
  return 1 - std::exp(-expected);
}

}  // namespace ipop::overlay
