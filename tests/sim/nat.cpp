#include "tests/sim/nat.hpp"

#include <algorithm>

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

Endpoint Nat::out(const Endpoint& inside, const Endpoint& to, Instant now) {
  std::erase_if(mappings_, [&](const Mapping& each) { return now - each.used > kLife; });
  const Endpoint key = part(to, mapping_);
  auto at = std::ranges::find_if(
      mappings_, [&](const Mapping& each) { return each.inside == inside && each.key == key; });
  if (at == mappings_.end()) {
    next_port_ = static_cast<std::uint16_t>(next_port_ + 7);  // nobody can guess on from one
    at = mappings_.insert(mappings_.end(), Mapping{inside, key, next_port_, now, {}});
  }
  at->used = now;
  if (std::ranges::find(at->sent_to, to) == at->sent_to.end()) at->sent_to.push_back(to);
  return {external_, at->port};
}

std::optional<Endpoint> Nat::in(const Endpoint& from, const Endpoint& external, Instant now) const {
  const auto at = std::ranges::find(mappings_, external.port, &Mapping::port);
  if (at == mappings_.end() || now - at->used > kLife) return std::nullopt;
  const bool allowed = std::ranges::any_of(at->sent_to, [&](const Endpoint& to) {
    return part(to, filtering_) == part(from, filtering_);
  });
  if (!allowed) return std::nullopt;
  return at->inside;
}

}  // namespace ipop::sim
