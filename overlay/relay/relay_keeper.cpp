#include "overlay/relay/relay_keeper.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kServiceEvery = 250ms;
constexpr Duration kServiceSoon = 50ms;  // while the first homes are looked for
constexpr Duration kPingEvery = 20s;     // below what NATs keep a mapping for
constexpr Duration kAskAgainAfter = 500ms;
constexpr unsigned kLostAfter = 4;  // pings without an answer
constexpr Duration kUsedFor = 60s;  // after the last circuit
constexpr Duration kWantedFor = 10min;
constexpr Duration kShunnedFor = 5min;
constexpr std::size_t kMostListed = 8;  // to choose from
constexpr unsigned kCallsAtOnce = 3;
constexpr Duration kAnswersWithin = 1s;
constexpr Duration kCallAgainAfter = 30s;
constexpr Duration kPublishAfter = 300ms;  // when it is known who else is there
constexpr Duration kPublishEvery = 3min;
// For homes: soon after the start, when the directory may not be joined yet, then rarely.
constexpr std::array<Duration, 7> kLookups{300ms, 500ms, 1s, 2s, 4s, 10s, 30s};
constexpr Duration kLookupEvery = 2min;

// Differs from node to node, so that not all take the same relays.
std::uint64_t distance(const NodeId& a, const NodeId& b) noexcept {
  return load_be<std::uint64_t>(a.bytes.data()) ^ load_be<std::uint64_t>(b.bytes.data());
}

// An address of its own that others may reach; nullptr: it names none, or a NAT is in front of it.
const Candidate* ipv4_of(const Peer& peer) {
  const bool behind_nat = peer.nat != NatMapping::kNone && peer.nat != NatMapping::kUnknown;
  const Candidate* best = nullptr;
  for (const Candidate& each : peer.candidates) {
    if (!each.endpoint.address.is_v4() || each.kind == CandidateKind::kMapped) continue;
    if (each.kind == CandidateKind::kLan && behind_nat) continue;
    if (best == nullptr || each.kind > best->kind) best = &each;
  }
  return best;
}

std::uint8_t bucket_of(const NodeId& node) noexcept {
  return node.bytes[0] % RelayKeeper::kBuckets;
}

}  // namespace

RelayKeeper::RelayKeeper(Context& context, PeerTable& peers, LivenessMonitor& liveness, Calls calls)
    : context_(context), peers_(peers), liveness_(liveness), calls_(std::move(calls)) {}

void RelayKeeper::set_wanted(bool wanted, bool lacks_ipv4, Now now) {
  lacks_ipv4_ = lacks_ipv4;
  if (wanted == wanted_) return;
  wanted_ = wanted;
  // What a server says or does not say may change again in a moment.
  if (!wanted && !homes_.empty()) wanted_until_ = now.mono + kWantedFor;
  if (!wanted) return;
  lookups_ = 0;
  next_lookup_ = now.mono + kLookups[0];
}

void RelayKeeper::want_now(Now now) {
  if (now.mono >= wanted_until_ && !wanted_) {
    lookups_ = 0;
    next_lookup_ = next_service_ = now.mono;
  }
  wanted_until_ = now.mono + kWantedFor;
}

void RelayKeeper::leave_homes() {
  wanted_until_ = Instant{};
  if (homes_.empty()) return;
  homes_.clear();
  calls_.on_homes();
}

void RelayKeeper::set_serving(bool serving, Now now) {
  if (serving == serving_) return;
  serving_ = serving;
  context_.relays = serving;
  const std::uint8_t bucket = bucket_of(context_.identity.node_id());
  if (serving) {
    look_up(bucket, now);
    next_publish_ = now.mono + kPublishAfter;
  } else {
    context_.directory.withdraw(context_.network.relay_key(bucket));
  }
}

void RelayKeeper::withdraw() {
  if (serving_) {
    context_.directory.withdraw(context_.network.relay_key(bucket_of(context_.identity.node_id())));
  }
}

RelayKeeper::Kept& RelayKeeper::keep(Peer& peer, Instant now) {
  const auto known = std::ranges::find(kept_, peer.index, &Kept::peer);
  if (known != kept_.end()) return *known;
  peer.kept = true;
  return kept_.emplace_back(Kept{.peer = peer.index, .pinged = now});
}

void RelayKeeper::use(Peer& relay, Instant now) {
  keep(relay, now).used = now;
}

void RelayKeeper::check(Instant now) {
  for (Kept& kept : kept_) {
    Peer* const peer = peers_.by_index(kept.peer);
    if (peer != nullptr && peer->connected() && now - kept.pinged >= kAskAgainAfter)
      ping(kept, *peer, now);
  }
}

void RelayKeeper::ping(Kept& kept, Peer& peer, Instant now) {
  kept.pinged = now;
  ++kept.unanswered;
  // Should our NAT have given us another port: this is what the relay follows.
  context_.injector.send_sealed(peer.current, {});
  liveness_.send_ping(peer, now);
}

void RelayKeeper::forget(Peer& peer) {
  peer.kept = false;
  std::erase_if(kept_, [&](const Kept& kept) { return kept.peer == peer.index; });
  if (std::erase(homes_, peer.index) != 0) calls_.on_homes();
}

void RelayKeeper::shun(engine::PeerIndex relay, Instant now) {
  Peer* const peer = peers_.by_index(relay);
  if (peer == nullptr) return;
  peer->shunned_until = now + kShunnedFor;
  if (std::erase(homes_, relay) != 0) calls_.on_homes();
}

bool RelayKeeper::is_home(engine::PeerIndex peer) const {
  return std::ranges::find(homes_, peer) != homes_.end();
}

std::vector<RelayHint> RelayKeeper::hints() const {
  std::vector<RelayHint> list;
  std::vector<RelayHint> more;  // other endpoints of the same, as far as there is room
  for (const engine::PeerIndex index : homes_) {
    const Peer* const home = peers_.by_index(index);
    if (home == nullptr || !home->credential || !home->path) continue;
    list.push_back({home->credential->signing_key, home->path->bare()});
    // Whoever cannot reach us may have IPv4 alone.
    const Candidate* const v4 = home->path->address.is_v4() ? nullptr : ipv4_of(*home);
    if (v4 != nullptr) more.push_back({home->credential->signing_key, v4->endpoint});
  }
  list.insert(list.end(), more.begin(), more.end());
  if (list.size() > NodeRecord::kMaxRelays) list.resize(NodeRecord::kMaxRelays);
  return list;
}

void RelayKeeper::service(Now now) {
  last_now_ = now;
  if (now.mono < next_service_) return;
  const bool wants_more =
      (wanted_ || now.mono < wanted_until_) && homes_.size() < kHomes && lookups_ < kLookups.size();
  next_service_ = now.mono + (wants_more ? kServiceSoon : kServiceEvery);
  ping_kept(now.mono);
  if (wanted_ || now.mono < wanted_until_) {
    choose_homes(now.mono);
    if (homes_.size() < kHomes) {
      call_some(now.mono);
      if (now.mono >= next_lookup_) look_for_relays(now);
    } else {
      lookups_ = 0;
    }
  } else if (!homes_.empty()) {
    homes_.clear();
    calls_.on_homes();
  }
  if (serving_ && now.mono >= next_publish_) publish(now);
}

// Who is near answers first. That suffices, as long as nobody else is very much nearer.
void RelayKeeper::choose_homes(Instant now) {
  const std::size_t before = homes_.size();
  std::erase_if(homes_, [&](engine::PeerIndex index) {
    const Peer* const home = peers_.by_index(index);
    return home == nullptr || !usable(*home);
  });
  bool changed = homes_.size() != before;
  // If we have no IPv4, relays are there to join us to those who have nothing else.
  const auto worth = [&](const Peer& peer) {
    return std::pair(lacks_ipv4_ && ipv4_of(peer) == nullptr, *peer.liveness.rtt);
  };
  while (homes_.size() < kHomes) {
    Peer* best = nullptr;
    peers_.for_each([&](Peer& peer) {
      const bool silent = peer.lost_as_relay && peer.last_heard <= *peer.lost_as_relay;
      if (!usable(peer) || !peer.liveness.rtt || is_home(peer.index) || silent ||
          now < peer.shunned_until) {
        return;
      }
      if (best == nullptr || worth(peer) < worth(*best)) best = &peer;
    });
    if (best == nullptr) break;
    homes_.push_back(best->index);
    keep(*best, now);
    changed = true;
    log::info("{} is a relay of ours, {:.1f} ms away", best->display(),
              static_cast<double>(best->liveness.rtt->count()) / 1e6);
  }
  if (changed) calls_.on_homes();
}

void RelayKeeper::call_some(Instant now) {
  unsigned calling = 0;
  for (const NodeId& node : listed_) {
    Peer* const peer = peers_.by_node(node);
    if (peer == nullptr || peer->connected() || peer->refused) continue;
    if (peer->connecting) {
      // Who does not answer soon keeps nobody else from being called.
      calling += now - peer->connecting->since < kAnswersWithin;
    } else if (calling < kCallsAtOnce && (peer->called_as_relay == Instant{} ||
                                          now - peer->called_as_relay >= kCallAgainAfter)) {
      ++calling;
      peer->called_as_relay = now;
      calls_.connect(*peer);
    }
  }
}

void RelayKeeper::ping_kept(Instant now) {
  std::vector<engine::PeerIndex> lost;
  std::erase_if(kept_, [&](const Kept& kept) {
    Peer* const peer = peers_.by_index(kept.peer);
    const bool over = peer == nullptr || (!is_home(kept.peer) && now - kept.used >= kUsedFor);
    if (over && peer != nullptr) peer->kept = false;
    return over;
  });
  for (Kept& kept : kept_) {
    Peer& peer = *peers_.by_index(kept.peer);
    if (!peer.connected()) {
      lost.push_back(kept.peer);
      continue;
    }
    if (peer.last_heard >= kept.pinged) kept.unanswered = 0;
    const Duration wait = kept.unanswered == 0 ? kPingEvery : kAskAgainAfter;
    if (now - std::max(kept.pinged, kept.unanswered == 0 ? peer.last_heard : Instant{}) < wait)
      continue;
    if (kept.unanswered >= kLostAfter) {
      lost.push_back(kept.peer);
      continue;
    }
    ping(kept, peer, now);
  }
  for (const engine::PeerIndex index : lost)
    lose(index);
}

void RelayKeeper::lose(engine::PeerIndex index) {
  Peer* const peer = peers_.by_index(index);
  if (peer == nullptr) return;
  log::info("the relay {} does not answer any more", peer->display());
  lookups_ = 0;
  next_lookup_ = last_now_.mono;
  peer->lost_as_relay = last_now_.mono;
  forget(*peer);
  calls_.on_lost(*peer);
}

void RelayKeeper::look_for_relays(Now now) {
  next_lookup_ = now.mono + (lookups_ < kLookups.size() ? kLookups[lookups_] : kLookupEvery);
  ++lookups_;
  for (std::uint8_t bucket = 0; bucket < kBuckets; ++bucket)
    look_up(bucket, now);
}

void RelayKeeper::look_up(std::uint8_t bucket, Now now) {
  last_now_ = now;
  if (bucket == bucket_of(context_.identity.node_id())) neighbours_.clear();
  ++looking_;
  const std::weak_ptr<RelayKeeper*> weak = self_;
  context_.directory.lookup(
      context_.network.relay_key(bucket),
      [weak, bucket](ByteView value) {
        if (const auto self = weak.lock()) (*self)->on_listed(bucket, value);
      },
      [weak](bool) {
        if (const auto self = weak.lock()) (*self)->on_looked_up();
      });
}

void RelayKeeper::on_listed(std::uint8_t bucket, ByteView value) {
  const auto record =
      NodeRecord::open(value, context_.network, context_.network.relay_key(bucket), last_now_.wall);
  if (!record) {
    ++context_.counters.records_refused;
    return;
  }
  const NodeId node = record->credential.node_id();
  const NodeId own = context_.identity.node_id();
  if (node == own) return;
  if (bucket == bucket_of(own) && neighbours_.size() < 4 * kMostInBucket) neighbours_.insert(node);
  const bool within_reach = std::ranges::any_of(record->candidates, [&](const Candidate& each) {
    return calls_.has_family(each.endpoint.address.is_v4());
  });
  if (!within_reach) return;
  found_.insert_or_assign(distance(node, own), *record);
  if (found_.size() > kMostListed) found_.erase(std::prev(found_.end()));
}

void RelayKeeper::on_looked_up() {
  if (--looking_ != 0 || found_.empty()) return;
  const bool wanted = homes_.size() < kHomes && (wanted_ || last_now_.mono < wanted_until_);
  if (wanted) {
    listed_.clear();
    for (const auto& [rank, record] : found_) {
      if (calls_.learn(record) != nullptr) listed_.push_back(record.credential.node_id());
    }
    next_service_ = Instant{};
  }
  found_.clear();
}

// Where many relay, those with the smallest ids stand for all.
void RelayKeeper::publish(Now now) {
  next_publish_ = now.mono + kPublishEvery;
  const NodeId own = context_.identity.node_id();
  const auto before_us =
      std::ranges::count_if(neighbours_, [&](const NodeId& other) { return other < own; });
  const std::uint8_t bucket = bucket_of(own);
  const DirectoryKey at = context_.network.relay_key(bucket);
  if (static_cast<std::size_t>(before_us) < kMostInBucket) {
    context_.directory.publish(at,
                               calls_.own_record().seal(context_.identity, context_.network, at));
  } else {
    context_.directory.withdraw(at);
  }
  look_up(bucket, now);
}

}  // namespace ipop::overlay
