#include "overlay/relay/guest_records.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ipop::overlay {
namespace {

bool holds(const Peer& peer, const IpAddress& address) {
  return std::ranges::any_of(peer.routes, [&](const Prefix& prefix) {
    return prefix.is_host() && prefix.address == address;
  });
}

}  // namespace

template <typename Condition>
void GuestRecords::drop_if(Condition condition) {
  std::erase_if(kept_, [&](const auto& entry) {
    if (!condition(entry.first, entry.second)) return false;
    context_.directory.withdraw(entry.first);
    return true;
  });
}

void GuestRecords::on_deposit(const Peer& guest, const message::RecordDeposit& deposit, Now now) {
  if (!context_.relays || !guest.authorised || !guest.credential || !guest.connected()) return;
  const NodeId node = guest.credential->node_id();
  const bool under_id = deposit.address.is_unspecified();
  // Not what it claims, but what it was granted.
  const bool its_own = under_id || holds(guest, deposit.address);
  if (its_own && !may_open(node, now.mono)) {
    ++context_.counters.control_limited;
    return;
  }
  const DirectoryKey at =
      under_id ? context_.network.node_key(node) : context_.network.address_key(deposit.address);
  const auto record = its_own ? NodeRecord::open(deposit.value, context_.network, at, now.wall)
                              : fail("not its own");
  if (!record || record->credential.node_id() != node) {
    ++context_.counters.records_refused;
    return;
  }
  drop_what_is_no_longer_its(guest);
  const message::RecordDeposited answer{.address = deposit.address,
                                        .sequence = record->sequence,
                                        .kept = keep(at, *record, deposit.value, now)};
  context_.injector.send_sealed(guest.current, message::encode(answer));
}

bool GuestRecords::keep(const DirectoryKey& at, const NodeRecord& record,
                        const DirectoryValue& value, Now now) {
  const NodeId node = record.credential.node_id();
  const auto known = kept_.find(at);
  if (known == kept_.end() && kept_.size() >= kMaxRecords) return false;
  // What comes late, or again, changes nothing.
  if (known != kept_.end() && known->second.of == node && known->second.sequence >= record.sequence)
    return true;
  Kept& kept = kept_[at];
  kept.of = node;
  kept.sequence = record.sequence;
  kept.until = now.mono + std::min(Duration(record.expires - now.wall), kKeptFor);
  kept.waiting = value;
  publish(at, kept, now.mono);
  return true;
}

// So that one guest, with one credential after another, does not take all there is.
void GuestRecords::drop_what_is_no_longer_its(const Peer& guest) {
  const NodeId node = guest.credential->node_id();
  std::set<DirectoryKey> its_own{context_.network.node_key(node)};
  for (const Prefix& prefix : guest.routes) {
    if (prefix.is_host()) its_own.insert(context_.network.address_key(prefix.address));
  }
  drop_if([&](const DirectoryKey& at, const Kept& kept) {
    return kept.of == node && !its_own.contains(at);
  });
}

bool GuestRecords::may_open(const NodeId& guest, Instant now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    opened_ = 0;
    opened_of_.clear();
  }
  if (opened_ >= kOpenedPerSecond || opened_of_[guest] >= kOpenedOfOne) return false;
  ++opened_;
  ++opened_of_[guest];
  return true;
}

void GuestRecords::forget(const Peer& guest) {
  if (!guest.credential) return;
  const NodeId node = guest.credential->node_id();
  drop_if([&](const DirectoryKey&, const Kept& kept) { return kept.of == node; });
}

void GuestRecords::drop_all() {
  drop_if([](const DirectoryKey&, const Kept&) { return true; });
}

void GuestRecords::publish(const DirectoryKey& at, Kept& kept, Instant now) {
  if (!kept.waiting || now < kept.next_publish) return;
  kept.next_publish = now + kPublishEvery;
  context_.directory.publish(at, *std::exchange(kept.waiting, std::nullopt));
}

void GuestRecords::service(Instant now) {
  if (now < next_service_) return;
  next_service_ = now + std::chrono::seconds(1);
  drop_if([&](const DirectoryKey&, const Kept& kept) { return now >= kept.until; });
  for (auto& [at, kept] : kept_)
    publish(at, kept, now);
}

}  // namespace ipop::overlay
