#include "overlay/peer/announcer.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPublishInterval = 3min;
constexpr Duration kRecordLife = 15min;  // survives clocks that differ by minutes
// Rivals are looked for soon after the start, when the directory may not be joined yet, then
// rarely.
constexpr std::array<Duration, 4> kRivalChecks{500ms, 1500ms, 4s, 15s};
constexpr Duration kRivalInterval = 2min;
constexpr std::size_t kMaxSeen = 256;

}  // namespace

Announcer::Announcer(Context& context, std::function<void(const NodeRecord&)> on_rendezvous,
                     std::function<void(const NodeRecord&)> on_rival)
    : context_(context), on_rendezvous_(std::move(on_rendezvous)), on_rival_(std::move(on_rival)) {}

void Announcer::start(std::vector<Candidate> candidates, Now now) {
  candidates_ = std::move(candidates);
  last_now_ = now;
  publish(now);
  const std::weak_ptr<Announcer*> weak = self_;
  context_.directory.listen(context_.network.inbox_key(context_.identity.node_id()),
                            [weak](ByteView value) {
                              if (const auto self = weak.lock()) (*self)->on_inbox(value);
                            });
  look_for_rivals(now);
}

void Announcer::set_candidates(std::vector<Candidate> candidates, Now now) {
  if (candidates == candidates_) return;
  candidates_ = std::move(candidates);
  publish(now);
}

void Announcer::set_reach(NatMapping nat, std::vector<RelayHint> relays, Now now) {
  if (nat == nat_ && relays == relays_) return;
  const bool urgent = relays != relays_;
  nat_ = nat;
  relays_ = std::move(relays);
  if (urgent && next_publish_ != Instant{}) publish(now);
}

void Announcer::service(Now now) {
  last_now_ = now;
  if (now.mono >= next_publish_) publish(now);
  if (now.mono >= next_rival_check_) look_for_rivals(now);
}

Instant Announcer::deadline() const {
  return std::min(next_publish_, next_rival_check_);
}

NodeRecord Announcer::make_record(Now now) {
  // Wall time keeps the sequence growing over restarts; it never goes back while we run.
  const auto wall = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now.wall.time_since_epoch()).count());
  sequence_ = std::max(sequence_ + 1, wall);
  return {.credential = context_.credential,
          .sequence = sequence_,
          .expires = now.wall + kRecordLife,
          .nat = nat_,
          .relays = relays_,
          .candidates = candidates_};
}

void Announcer::publish(Now now) {
  next_publish_ = now.mono + kPublishInterval;
  const NodeRecord record = make_record(now);
  const auto put = [&](const DirectoryKey& key, const IpAddress& address) {
    const DirectoryValue value = record.seal(context_.identity, context_.network, key);
    context_.directory.publish(key, value);
    on_publish_(address, value, record.sequence);
  };
  for (const Prefix& prefix : context_.credential.addresses)
    put(context_.network.address_key(prefix.address), prefix.address);
  put(context_.network.node_key(context_.identity.node_id()), {});
}

void Announcer::withdraw() {
  for (const Prefix& prefix : context_.credential.addresses) {
    context_.directory.withdraw(context_.network.address_key(prefix.address));
  }
  context_.directory.withdraw(context_.network.node_key(context_.identity.node_id()));
}

void Announcer::invite(const NodeId& peer, Now now) {
  const Rendezvous rendezvous{.from = make_record(now), .sent = now.wall};
  context_.directory.post(context_.network.inbox_key(peer),
                          rendezvous.seal(context_.identity, context_.network, peer));
}

void Announcer::look_for_rivals(Now now) {
  const Duration wait =
      rival_checks_ < kRivalChecks.size() ? kRivalChecks[rival_checks_] : kRivalInterval;
  ++rival_checks_;
  next_rival_check_ = now.mono + wait;
  const std::weak_ptr<Announcer*> weak = self_;
  for (const Prefix& prefix : context_.credential.addresses) {
    const DirectoryKey key = context_.network.address_key(prefix.address);
    context_.directory.lookup(
        key,
        [weak, key](ByteView value) {
          if (const auto self = weak.lock()) (*self)->on_claim(key, value);
        },
        [](bool) {});
  }
}

void Announcer::on_claim(const DirectoryKey& key, ByteView value) {
  const auto record = NodeRecord::open(value, context_.network, key, last_now_.wall);
  if (!record) {
    ++context_.counters.records_refused;
  } else if (record->credential.node_id() != context_.identity.node_id()) {
    on_rival_(*record);
  }
}

void Announcer::on_inbox(ByteView value) {
  const auto rendezvous =
      Rendezvous::open(value, context_.network, context_.identity.node_id(), last_now_.wall);
  if (!rendezvous) {
    ++context_.counters.records_refused;
    return;
  }
  const NodeId from = rendezvous->from.credential.node_id();
  if (from == context_.identity.node_id()) return;
  if (seen_.size() >= kMaxSeen) seen_.clear();
  if (seen_.emplace(from, rendezvous->sent).second) on_rendezvous_(rendezvous->from);
}

}  // namespace ipop::overlay
