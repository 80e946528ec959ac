#include "overlay/peer/address_resolver.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kGiveUpAfter = 3s;
constexpr Duration kLookAgainAfter = 200ms;  // of a lookup that led nowhere
constexpr Duration kUnreachableFor = 1s;     // no new attempt in this time
constexpr std::size_t kMaxQueries = 256;
constexpr std::size_t kMaxUnreachable = 1024;

}  // namespace

AddressResolver::AddressResolver(Context& context, std::function<void(const NodeRecord&)> on_record,
                                 std::function<void(const IpAddress&)> on_failure)
    : context_(context), on_record_(std::move(on_record)), on_failure_(std::move(on_failure)) {}

bool AddressResolver::resolve(const IpAddress& address, Now now) {
  last_now_ = now;
  if (queries_.contains(address)) return true;
  const auto recent = unreachable_until_.find(address);
  if (recent != unreachable_until_.end()) {
    if (now.mono < recent->second) return false;
    unreachable_until_.erase(recent);
  }
  if (queries_.size() >= kMaxQueries) return false;
  Query& query = queries_[address];
  query.deadline = now.mono + kGiveUpAfter;
  look_up(address, query, now);
  return true;
}

void AddressResolver::settle(const IpAddress& address) {
  queries_.erase(address);
  unreachable_until_.erase(address);
}

bool AddressResolver::resolving(const IpAddress& address) const {
  return queries_.contains(address);
}

std::vector<IpAddress> AddressResolver::pending() const {
  std::vector<IpAddress> list;
  for (const auto& [address, query] : queries_)
    list.push_back(address);
  return list;
}

void AddressResolver::look_up(const IpAddress& address, Query& query, Now now) {
  query.looking = true;
  query.next_lookup = now.mono + kLookAgainAfter;
  const DirectoryKey key = context_.network.address_key(address);
  const std::weak_ptr<AddressResolver*> weak = self_;
  context_.directory.lookup(
      key,
      [weak, key, address](ByteView value) {
        const auto self = weak.lock();
        if (!self || !(*self)->queries_.contains(address)) return;
        Context& context = (*self)->context_;
        const auto record = NodeRecord::open(value, context.network, key, (*self)->last_now_.wall);
        const bool names_it =
            record && std::ranges::any_of(record->credential.addresses, [&](const Prefix& prefix) {
              return prefix.address == address;
            });
        if (!names_it) {
          ++context.counters.records_refused;
        } else if (record->credential.node_id() != context.identity.node_id()) {
          (*self)->on_record_(*record);
        }
      },
      [weak, address](bool) {
        const auto self = weak.lock();
        if (!self) return;
        const auto found = (*self)->queries_.find(address);
        if (found != (*self)->queries_.end()) found->second.looking = false;
      });
}

void AddressResolver::service(Now now) {
  last_now_ = now;
  std::vector<IpAddress> failed;
  for (auto& [address, query] : queries_) {
    if (now.mono >= query.deadline) {
      failed.push_back(address);
    } else if (!query.looking && now.mono >= query.next_lookup) {
      look_up(address, query, now);
    }
  }
  for (const IpAddress& address : failed) {
    queries_.erase(address);
    if (unreachable_until_.size() >= kMaxUnreachable) unreachable_until_.clear();
    unreachable_until_[address] = now.mono + kUnreachableFor;
    on_failure_(address);
  }
}

std::optional<Instant> AddressResolver::deadline() const {
  std::optional<Instant> earliest;
  for (const auto& [address, query] : queries_) {
    const Instant due =
        query.looking ? query.deadline : std::min(query.deadline, query.next_lookup);
    if (!earliest || due < *earliest) earliest = due;
  }
  return earliest;
}

}  // namespace ipop::overlay
