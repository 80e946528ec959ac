#include "overlay/nat/mappings.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

constexpr std::size_t kMostEndpoints = 2;  // of a family
constexpr Duration kAtOnce = std::chrono::seconds(2);

}  // namespace

std::string_view name(NatMapping mapping) noexcept {
  switch (mapping) {
    case NatMapping::kNone:
      return "none";
    case NatMapping::kTranslated:
      return "translated";
    case NatMapping::kEndpointIndependent:
      return "endpoint-independent";
    case NatMapping::kEndpointDependent:
      return "endpoint-dependent";
    case NatMapping::kUnknown:
      break;
  }
  return "unknown";
}

bool Mappings::set_local(std::vector<Endpoint> local) {
  if (local == local_) return false;
  local_ = std::move(local);
  seen_.clear();
  return true;
}

bool Mappings::observe(Observer kind, const Endpoint& by, const Endpoint& mapped, Instant now) {
  const IpAddress& address = mapped.address;
  if (mapped.port == 0 || address.is_unspecified() || address.is_loopback() ||
      address.is_multicast() || address.is_link_local() || address.is_v4() != by.address.is_v4()) {
    return false;
  }
  const View before = view();
  auto at = std::ranges::find(seen_, by, &Observation::by);
  if (at == seen_.end()) {
    if (seen_.size() == kMost && !make_room()) return false;
    at = seen_.insert(seen_.end(), Observation{});
  } else if (at->kind == Observer::kServer && kind == Observer::kPeer) {
    return false;
  }
  const bool moved = at->mapped.port != 0 && at->mapped != mapped;
  *at = {kind, by, mapped, now};
  if (moved) std::erase_if(seen_, [&](const Observation& each) { return now - each.at > kAtOnce; });
  return view() != before;
}

// Whoever may lie must not crowd out those who were asked.
bool Mappings::make_room() {
  const auto oldest = std::ranges::min_element(seen_, {}, [](const Observation& each) {
    return std::pair(each.kind == Observer::kServer, each.at);
  });
  if (oldest->kind == Observer::kServer) return false;
  seen_.erase(oldest);
  return true;
}

bool Mappings::expire(Instant now) {
  const View before = view();
  std::erase_if(seen_, [&](const Observation& each) { return now - each.at > kLife; });
  return view() != before;
}

std::vector<const Mappings::Observation*> Mappings::believed(bool v4) const {
  std::vector<const Observation*> list;
  std::size_t servers = 0;
  for (const Observation& each : seen_) {
    if (each.by.address.is_v4() != v4) continue;
    list.push_back(&each);
    if (each.kind == Observer::kServer) ++servers;
  }
  if (servers >= 2)
    std::erase_if(list, [](const Observation* each) { return each->kind == Observer::kPeer; });
  const auto outside = [&](const Observation* each) { return !is_local(each->mapped); };
  if (std::ranges::any_of(list, outside))
    std::erase_if(list, [&](const Observation* each) { return !outside(each); });
  std::ranges::stable_sort(list, std::greater{}, &Observation::at);
  return list;
}

bool Mappings::is_local(const Endpoint& endpoint) const {
  return std::ranges::find(local_, endpoint) != local_.end();
}

NatMapping Mappings::mapping(bool v4) const {
  const auto list = believed(v4);
  if (list.empty()) return NatMapping::kUnknown;
  const auto same = [&](const Observation* each) { return each->mapped == list.front()->mapped; };
  if (!std::ranges::all_of(list, same)) return NatMapping::kEndpointDependent;
  if (is_local(list.front()->mapped)) return NatMapping::kNone;
  return list.size() == 1 ? NatMapping::kTranslated : NatMapping::kEndpointIndependent;
}

bool Mappings::seen_by_server(bool v4) const {
  return std::ranges::any_of(seen_, [&](const Observation& each) {
    return each.kind == Observer::kServer && each.by.address.is_v4() == v4;
  });
}

std::vector<Endpoint> Mappings::endpoints() const {
  std::vector<Endpoint> all;
  for (const bool v4 : {true, false}) {
    std::size_t count = 0;
    for (const Observation* each : believed(v4)) {
      if (count == kMostEndpoints) break;
      if (is_local(each->mapped)) break;
      if (std::ranges::find(all, each->mapped) != all.end()) continue;
      all.push_back(each->mapped);
      ++count;
    }
  }
  return all;
}

}  // namespace ipop::overlay
