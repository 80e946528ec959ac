#include "engine/table/prefix_list.hpp"

#include <algorithm>

namespace ipop::engine {

PrefixList::PrefixList(std::span<const PrefixRoute> routes) {
  std::vector<PrefixRoute> sorted(routes.begin(), routes.end());
  std::ranges::sort(sorted, [](const PrefixRoute& a, const PrefixRoute& b) {
    if (a.prefix.length != b.prefix.length) return a.prefix.length > b.prefix.length;
    return a.prefix.address < b.prefix.address;
  });
  for (const PrefixRoute& route : sorted) {
    std::vector<Level>& levels = route.prefix.address.is_v4() ? v4_ : v6_;
    if (levels.empty() || levels.back().length != route.prefix.length) {
      levels.push_back({route.prefix.length, {}});
    }
    levels.back().entries.push_back({route.prefix.address, route.peer});
  }
}

PeerIndex PrefixList::find(const IpAddress& address) const noexcept {
  for (const Level& level : address.is_v4() ? v4_ : v6_) {
    const IpAddress key = Prefix{address, level.length}.masked().address;
    const auto at = std::ranges::lower_bound(level.entries, key, {}, &Entry::first);
    if (at != level.entries.end() && at->first == key) return at->peer;
  }
  return kNoPeer;
}

}  // namespace ipop::engine
