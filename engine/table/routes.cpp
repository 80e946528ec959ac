#include "engine/table/routes.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ipop::engine {

Routes::Routes(std::uint32_t max_hosts, std::uint32_t max_prefixes, Reclaimer& reclaimer)
    : max_prefixes_(max_prefixes),
      reclaimer_(reclaimer),
      hosts_(max_hosts, reclaimer),
      list_(new PrefixList()) {}

Routes::~Routes() {
  delete list_.load(std::memory_order_relaxed);
}

Result<void> Routes::add(const Prefix& prefix, PeerIndex peer) {
  const Prefix masked = prefix.masked();
  const PeerIndex owner = masked.is_host()             ? hosts_.find(masked.address)
                          : prefixes_.contains(masked) ? prefixes_.at(masked)
                                                       : kNoPeer;
  if (owner == peer) return {};
  if (owner != kNoPeer) return fail(masked.to_string() + " is the route of another peer");
  if (masked.is_host()) {
    if (!hosts_.add(masked.address, peer)) return fail("the table of hosts is full");
    return {};
  }
  if (prefixes_.size() == max_prefixes_) return fail("the table of subnets is full");
  prefixes_.emplace(masked, peer);
  replace_list();
  return {};
}

bool Routes::remove(const Prefix& prefix, PeerIndex peer) {
  const Prefix masked = prefix.masked();
  if (masked.is_host()) {
    if (hosts_.find(masked.address) != peer) return false;
    hosts_.remove(masked.address);
    return true;
  }
  const auto at = prefixes_.find(masked);
  if (at == prefixes_.end() || at->second != peer) return false;
  prefixes_.erase(at);
  replace_list();
  return true;
}

void Routes::replace_list() {
  std::vector<PrefixRoute> routes;
  routes.reserve(prefixes_.size());
  for (const auto& [prefix, peer] : prefixes_)
    routes.push_back({prefix, peer});
  // Release pairs with the acquire in find() and find_burst().
  const PrefixList* const old = list_.exchange(new PrefixList(routes), std::memory_order_acq_rel);
  reclaimer_.defer([owned = std::unique_ptr<const PrefixList>(old)] {});
}

PeerIndex Routes::find(const IpAddress& address) const noexcept {
  const PeerIndex host = hosts_.find(address);
  return host != kNoPeer ? host : list_.load(std::memory_order_acquire)->find(address);
}

void Routes::find_burst(std::span<const IpAddress> addresses, PeerIndex* into) const noexcept {
  const IpAddress* asked[HostTable::kMaxBulk];
  PeerIndex answers[HostTable::kMaxBulk];
  std::uint8_t answer_of[HostTable::kMaxBulk];
  std::size_t count = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (count == 0 || addresses[i] != *asked[count - 1]) asked[count++] = &addresses[i];
    answer_of[i] = static_cast<std::uint8_t>(count - 1);
  }
  if (count == 0) return;
  hosts_.find_bulk({asked, count}, answers);
  const PrefixList* const list = list_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    if (answers[i] == kNoPeer) answers[i] = list->find(*asked[i]);
  }
  for (std::size_t i = 0; i < addresses.size(); ++i)
    into[i] = answers[answer_of[i]];
}

}  // namespace ipop::engine
