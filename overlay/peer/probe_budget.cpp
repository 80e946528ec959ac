#include "overlay/peer/probe_budget.hpp"

#include <algorithm>

namespace ipop::overlay {

bool ProbeBudget::take(const IpAddress& to, Instant now) {
  std::erase_if(counts_, [&](const Count& each) { return now - each.since >= kForgetAfter; });
  auto at = std::ranges::find(counts_, to, &Count::to);
  if (at == counts_.end()) {
    if (counts_.size() == kMostAddresses) return false;
    at = counts_.insert(at, Count{.to = to, .since = now});
  }
  if (at->sent >= most_) return false;
  ++at->sent;
  return true;
}

unsigned ProbeBudget::left(const IpAddress& to, Instant now) const {
  const auto at = std::ranges::find(counts_, to, &Count::to);
  if (at != counts_.end() && now - at->since < kForgetAfter)
    return most_ - std::min(at->sent, most_);
  return most_;
}

void ProbeBudget::answered(const IpAddress& from) {
  std::erase_if(counts_, [&](const Count& each) { return each.to == from; });
}

}  // namespace ipop::overlay
