#include "tests/sim/nat.hpp"

namespace ipop::sim {

Endpoint Nat::part(const Endpoint& of, By by) {
  switch (by) {
    case By::kNothing:
      return {};
    case By::kAddress:
      return {of.address, 0};
    case By::kEndpoint:
      return of;
  }
  return {};
}

std::uint16_t Nat::free_port(const Endpoint& key) {
  for (int tries = 0; tries < 100'000; ++tries) {
    if (ports_.step != 0) {
      last_port_ = static_cast<std::uint16_t>(last_port_ + ports_.step);
    } else {
      last_port_ =
          static_cast<std::uint16_t>(ports_.first + random_() % (ports_.last - ports_.first + 1u));
    }
    if (last_port_ != 0 && !mappings_.contains({last_port_, key})) break;
  }
  return last_port_;
}

Endpoint Nat::out(const Endpoint& inside, const Endpoint& to, Instant now) {
  if (now - swept_ >= std::chrono::seconds(1)) {
    swept_ = now;
    std::erase_if(mappings_, [&](const auto& each) {
      const bool old = now - each.second.used > kLife;
      if (old) by_inside_.erase({each.second.inside, each.first.second});
      return old;
    });
  }
  const Endpoint key = part(to, mapping_);
  auto at = by_inside_.find({inside, key});
  if (at == by_inside_.end()) {
    at = by_inside_.emplace(std::pair(inside, key), free_port(key)).first;
    mappings_[{at->second, key}] = Mapping{inside, now, {}};
  }
  Mapping& mapping = mappings_.at({at->second, key});
  mapping.used = now;
  mapping.sent_to.insert(part(to, filtering_));
  return {external_, at->second};
}

std::optional<Endpoint> Nat::in(const Endpoint& from, const Endpoint& external, Instant now) const {
  for (auto at = mappings_.lower_bound({external.port, {}});
       at != mappings_.end() && at->first.first == external.port; ++at) {
    const Mapping& mapping = at->second;
    if (now - mapping.used <= kLife && mapping.sent_to.contains(part(from, filtering_)))
      return mapping.inside;
  }
  return std::nullopt;
}

}  // namespace ipop::sim
