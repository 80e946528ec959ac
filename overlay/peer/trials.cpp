#include "overlay/peer/trials.hpp"

#include <algorithm>

namespace ipop::overlay {
namespace {

Instant last_event(const Trial& trial) noexcept {
  return std::max(trial.sent, trial.answered.value_or(Instant{}));
}

}  // namespace

Trial& Trials::of(const Endpoint& endpoint) {
  const auto known = std::ranges::find(trials_, endpoint, &Trial::endpoint);
  if (known != trials_.end()) return *known;
  if (trials_.size() == kMost) trials_.erase(std::ranges::min_element(trials_, {}, last_event));
  return trials_.emplace_back(Trial{.endpoint = endpoint, .answered = {}});
}

void Trials::sent(const Endpoint& to, Instant now) {
  Trial& trial = of(to);
  ++trial.unanswered;
  trial.sent = now;
}

void Trials::answered(const Endpoint& from, Instant now) {
  Trial& trial = of(from);
  trial.unanswered = 0;
  trial.answered = now;
}

const Trial* Trials::find(const Endpoint& endpoint) const noexcept {
  const auto at = std::ranges::find(trials_, endpoint, &Trial::endpoint);
  return at == trials_.end() ? nullptr : &*at;
}

}  // namespace ipop::overlay
