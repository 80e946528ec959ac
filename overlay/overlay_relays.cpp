// Reaching peers through others: when a relay is asked, what is done with the way that it gives,
// and how that way is left again for a direct one.
#include <algorithm>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "overlay/overlay.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRelayAfter = 150ms;     // of a handshake that nobody answers directly
constexpr Duration kShortestRetry = 100ms;  // of a handshake, when another way shows up
constexpr Duration kRelayTryEvery = 200ms;  // while there is no way
constexpr Duration kChainAfter = 250ms;     // that a peer's own relay has to let us in
constexpr std::size_t kWaysWanted = 2;      // one in use, one at hand
constexpr Duration kSecondWayEvery = 5s;
constexpr Duration kUpgradeEvery = 1s;  // and twice as long each time
constexpr unsigned kMostDoublings = 6;
constexpr unsigned kProbeRounds = 3;
constexpr Duration kStandbyEvery = 25s;
constexpr Duration kCompareAfter = 500ms;  // that there are two ways
constexpr Duration kUnusedFor = 60s;
constexpr Duration kSweepEvery = 10s;
constexpr unsigned kMostCalls = 4;  // handshakes with a relay that somebody named, in
constexpr Duration kLeftAloneFor = 5min;
constexpr std::size_t kMostCalled = 1024;
constexpr Duration kWantEvery = 2s;
constexpr std::size_t kMostWants = 64;
constexpr std::ptrdiff_t kMostWantsOfOne = 4;

}  // namespace

bool Overlay::relays_for_us(const Peer& peer) const {
  return settings_.relay.use && peer.form == handshake::Form::kIpop && peer.credential.has_value();
}

// Looked at when something changed that it depends on.
void Overlay::set_reach(Now now) {
  const Mappings& seen = nat_.mappings();
  const RelayServe serve = settings_.relay.serve;
  relays_.set_serving(serve == RelayServe::kYes || (serve == RelayServe::kAuto && nat_.is_open()),
                      now);
  if (!context_.relays) guest_records_.drop_all();
  relays_.set_wanted(settings_.relay.use && !nat_.is_open_to_all() && !port_mapping_.usable(),
                     !has_family(true), now);
  announcer_.set_reach(
      seen.mapping(true) != NatMapping::kUnknown ? seen.mapping(true) : seen.mapping(false),
      relays_.hints(), now);
}

// The relay that somebody says it can be reached through: perhaps a peer already, else called now.
Peer* Overlay::relay_of(const RelayHint& hint, Now now) {
  const auto key = exchange_key_of(hint.key);
  if (!key || *key == context_.identity.exchange_key()) return nullptr;
  Peer* relay = peers_.by_key(*key);
  if (relay == nullptr) {
    const auto added = peers_.add(handshake::Form::kIpop, *key, now.mono);
    if (!added) return nullptr;
    relay = *added;
    relay->psk = context_.network.handshake_psk();
  }
  if (relay->form != handshake::Form::kIpop) return nullptr;
  if (relay->connected() || !has_family(hint.endpoint.address.is_v4())) return relay;
  const bool news = !names(relay->candidates, hint.endpoint);
  if ((relay->connecting && !news) || !may_call(hint.endpoint, now)) return relay;
  if (news) {
    std::vector<Candidate> candidates = relay->candidates;
    candidates.insert(candidates.begin(), {hint.endpoint});
    candidates.resize(std::min(candidates.size(), message::kMaxCandidates));
    set_candidates(*relay, candidates);
  }
  handshaker_.start(*relay, now);
  if (relay->connecting && news) relay->connecting->next_attempt = now.mono;
  schedule(*relay, now);
  return relay;
}

// Whoever names a relay may be lying: an endpoint is called a few times, and then left alone.
bool Overlay::may_call(const Endpoint& endpoint, Now now) {
  if (calls_.size() >= kMostCalled) {
    std::erase_if(calls_, [&](const auto& each) { return now.mono >= each.second.until; });
    if (calls_.size() >= kMostCalled) return false;
  }
  Calls& calls = calls_[endpoint.address];
  if (now.mono >= calls.until) calls = {.count = 0, .until = now.mono + kLeftAloneFor};
  return ++calls.count <= kMostCalls;
}

// Asks everybody who may know a way to the peer; those who were asked already are not asked again.
void Overlay::seek_relays(Peer& peer, Now now) {
  peer.next_relay_try =
      now.mono + (peer.connected() && peer.path ? kSecondWayEvery : kRelayTryEvery);
  if (!relays_for_us(peer)) return;
  const NodeId remote = *peer.node_id();
  std::vector<NodeId> out_of_reach;
  for (const RelayHint& hint : peer.relay_hints) {
    Peer* const relay = relay_of(hint, now);
    if (relay == nullptr || relay == &peer) continue;
    if (RelayKeeper::usable(*relay)) {
      circuits_.ask(*relay, remote, {}, now.mono);
    } else {
      out_of_reach.push_back(NodeId::of(hint.key));
    }
  }
  if (ways_to(peer) >= kWaysWanted) return;
  if (relays_.homes().empty()) relays_.want_now(now);
  const bool patient = peer.connecting && now.mono - peer.connecting->since < kChainAfter;
  if (!out_of_reach.empty() && patient) return;
  for (const engine::PeerIndex index : relays_.homes()) {
    const Peer* const home = peers_.by_index(index);
    if (home == nullptr || home == &peer || !RelayKeeper::usable(*home)) continue;
    if (out_of_reach.empty()) {
      circuits_.ask(*home, remote, {}, now.mono);
    } else {
      circuits_.ask(*home, remote, {out_of_reach[index_of_chain_++ % out_of_reach.size()]},
                    now.mono);
    }
  }
}

// When something is due for a peer that has no direct path.
std::optional<Instant> Overlay::relay_deadline(const Peer& peer) const {
  if (!relays_for_us(peer)) return std::nullopt;
  if (peer.connecting && !(peer.connected() && peer.path)) {
    // Where there is little hope, nothing is waited for.
    const bool hard = peer.nat == NatMapping::kEndpointDependent &&
                      nat_.mappings().mapping(true) == NatMapping::kEndpointDependent;
    const bool apart = std::ranges::none_of(peer.candidates, [&](const Candidate& each) {
      return has_family(each.endpoint.address.is_v4());
    });
    const Duration wait = hard || apart ? Duration::zero() : kRelayAfter;
    return std::max(peer.next_relay_try, peer.connecting->since + wait);
  }
  if (peer.connected() && peer.is_relayed()) {
    const Instant upgrade = paths_.chooses(peer) ? peer.next_upgrade : Instant::max();
    return peer.probe_rounds == 0 ? upgrade : std::min(upgrade, peer.next_probe);
  }
  return std::nullopt;
}

// Relays, not circuits: two through one relay end together.
std::size_t Overlay::ways_to(const Peer& peer) const {
  std::set<engine::PeerIndex> relays;
  for (const Circuit* const circuit : circuits_.to(*peer.node_id()))
    relays.insert(circuit->relay);
  return relays.size();
}

void Overlay::on_relay_open(Peer& from, const message::RelayOpen& open, Now now) {
  if (open.to != context_.identity.node_id()) {
    relay_service_.on_open(from, open, now.mono);
  } else if (settings_.relay.use) {
    circuits_.on_open(from, open, now.mono);
  }
}

// A circuit opened, closed, or leads another way: `was` and `is` have port 0 where there is none.
void Overlay::on_circuit(const NodeId& remote, const Endpoint& was, const Endpoint& is) {
  Peer* const peer = peers_.by_node(remote);
  if (peer == nullptr) return;  // the handshake that comes by it tells us who it is
  std::erase(peer->relayed, was);
  if (is.port != 0) peer->relayed.push_back(is);
  if (was.port != 0 && peer->path == was) {
    const std::optional<Endpoint> other = is.port != 0 ? is : best_relayed(*peer, was);
    if (other) {
      paths_.use(*peer, *other);
    } else {
      log::debug("{}: the relay is gone: looking for another way", peer->display());
      paths_.lose(*peer);
      peer->next_relay_try = now_.mono;
      if (peer->connected()) connect(*peer, now_);
    }
  } else if (is.port != 0 && peer->connected() && !peer->path) {
    // Whoever brought it may not be who it says: the answer decides.
    liveness_.send_ping(*peer, now_.mono, is);
  } else if (is.port != 0 && peer->connected() && peer->is_relayed()) {
    compare_soon(*peer, now_);
  }
  if (is.port != 0 && was.port == 0 && peer->connecting && !(peer->connected() && peer->path)) {
    const Instant soon = peer->connecting->last_attempt + kShortestRetry;
    peer->connecting->next_attempt =
        std::min(peer->connecting->next_attempt, std::max(now_.mono, soon));
  }
  schedule(*peer, now_);
}

// Of the circuits that answered, the one heard last; rather through another relay than `was`.
std::optional<Endpoint> Overlay::best_relayed(const Peer& peer, const Endpoint& was) const {
  const auto value = [&](const Endpoint& endpoint) {
    const Trial* const trial = peer.trials.find(endpoint);
    const Instant answered = trial == nullptr ? Instant{} : trial->answered.value_or(Instant{});
    return std::pair(endpoint.relay() != was.relay(), answered);
  };
  const Endpoint* best = nullptr;
  for (const Endpoint& endpoint : peer.relayed) {
    if (value(endpoint).second == Instant{}) continue;
    if (best == nullptr || value(endpoint) > value(*best)) best = &endpoint;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

void Overlay::take_circuits(Peer& peer) {
  if (!peer.credential) return;
  peer.relayed.clear();
  for (const Circuit* const circuit : circuits_.to(*peer.node_id())) {
    if (circuit->endpoint.port != 0) peer.relayed.push_back(circuit->endpoint);
  }
}

// There are two ways, perhaps. How good the one in use is has to be known first.
void Overlay::compare_soon(Peer& peer, Now now) {
  if (!peer.liveness.rtt) liveness_.send_ping(peer, now.mono);
  const Instant soon = now.mono + kCompareAfter - kStandbyEvery;
  // Never later than before.
  if (peer.standby_pinged == Instant{} || soon < peer.standby_pinged) peer.standby_pinged = soon;
}

// For a peer with a session: a relayed path is left for a direct one as soon as there is one, and
// has another one at hand.
void Overlay::service_relayed(Peer& peer, Now now) {
  if (!relays_for_us(peer) || !peer.connected()) return;
  if (!peer.is_relayed()) {
    peer.next_upgrade = Instant{};
    return;
  }
  for (const Circuit* const circuit : circuits_.to(*peer.node_id())) {
    if (Peer* const relay = peers_.by_index(circuit->relay)) relays_.use(*relay, now.mono);
  }
  if (paths_.chooses(peer) && now.mono >= peer.next_upgrade) {
    peer.next_upgrade = now.mono + kUpgradeEvery * (1u << std::min(peer.upgrades, kMostDoublings));
    ++peer.upgrades;
    send_candidates(peer);
    paths_.plan_probes(peer, kProbeRounds, now.mono + peer.liveness.rtt.value_or(100ms) / 2);
  }
  if (paths_.chooses(peer)) guessing_.consider(peer, now.mono);
  if (ways_to(peer) < kWaysWanted && now.mono >= peer.next_relay_try) seek_relays(peer, now);
  if (peer.standby_pinged == Instant{}) compare_soon(peer, now);
  if (peer.relayed.size() > 1 && now.mono - peer.standby_pinged >= kStandbyEvery) {
    peer.standby_pinged = now.mono;
    for (const Endpoint& standby : peer.relayed) {
      if (standby != peer.path) liveness_.send_ping(peer, now.mono, standby);
    }
  }
}

// What we send is not answered: every other way is tried, and the relay asked whether it lives.
void Overlay::doubt(Peer& peer, Now now) {
  relays_.check(now.mono);
  paths_.probe_all(peer, now.mono);
  seek_relays(peer, now);
}

// Circuits that nothing came by for a while: ours end when the path is another one.
void Overlay::sweep_circuits(Now now) {
  if (now.mono < next_sweep_) return;
  set_reach(now);
  next_sweep_ = now.mono + kSweepEvery;
  std::vector<engine::RelayLabel> unused;
  for (const Circuit& circuit : circuits_.all()) {
    const Peer* const peer = peers_.by_node(circuit.remote);
    const Instant last = std::max(circuit.since, circuits_.last_heard(circuit));
    const bool wanted = peer != nullptr && peer->connected() && peer->is_relayed();
    const bool dead = circuit.label != 0 && circuit.endpoint.port == 0;
    if (now.mono - last >= kUnusedFor && (dead || (circuit.label != 0 && !wanted)))
      unused.push_back(circuit.local);
  }
  for (const engine::RelayLabel circuit : unused)
    circuits_.close(circuit);
}

// Nothing came from the peer by any way for seconds: the far ends of its circuits may be gone, and
// nobody would say so. They are opened anew.
void Overlay::drop_dead_circuits(const Peer& peer, Instant silent_since) {
  if (!peer.credential) return;
  std::vector<engine::RelayLabel> dead;
  for (const Circuit* const circuit : circuits_.to(*peer.node_id())) {
    if (std::max(circuit->since, circuits_.last_heard(*circuit)) < silent_since)
      dead.push_back(circuit->local);
  }
  for (const engine::RelayLabel circuit : dead)
    circuits_.close(circuit);
}

// Somebody wants to reach this node through us, and we have no session with it.
void Overlay::on_wanted_node(engine::PeerIndex asker, const NodeId& node) {
  std::erase_if(wants_, [&](const auto& want) { return now_.mono - want.second.at >= kWantEvery; });
  const auto asked =
      std::ranges::count_if(wants_, [&](const auto& want) { return want.second.asker == asker; });
  if (wants_.contains(node) || wants_.size() >= kMostWants || asked >= kMostWantsOfOne) return;
  wants_[node] = {.asker = asker, .at = now_.mono};
  if (Peer* const known = peers_.by_node(node); known != nullptr && !known->candidates.empty()) {
    connect(*known, now_);
    return;
  }
  const DirectoryKey at = context_.network.node_key(node);
  const std::weak_ptr<Overlay*> weak = self_;
  context_.directory.lookup(
      at,
      [weak, at, node](ByteView value) {
        const auto self = weak.lock();
        if (!self) return;
        Overlay& overlay = **self;
        const auto record =
            NodeRecord::open(value, overlay.context_.network, at, overlay.now_.wall);
        if (record && record->credential.node_id() == node) {
          overlay.on_record(*record, false, overlay.now_);
        } else {
          ++overlay.context_.counters.records_refused;
        }
      },
      [](bool) {});
}

void Overlay::set_relay(const RelaySettings& relay, Now now) {
  now_ = now;
  settings_.relay = relay;
  context_.table.set_relay_limit(relay.limit_bits_per_s);
  set_reach(now);
  // What the user no longer wants ends at once; else nothing does, as it is about what is to come.
  if (!relay.use) {
    relays_.leave_homes();
    circuits_.close_all();
  }
  if (relay.serve == RelayServe::kNo) relay_service_.close_all();
}

void Overlay::on_relay_lost(Peer& relay) {
  circuits_.forget(relay);
  handshaker_.start(relay, now_);
  schedule(relay, now_);
}

void Overlay::forget(Peer& peer) {
  relay_service_.forget(peer);
  guest_records_.forget(peer);
  circuits_.forget(peer);
  relays_.forget(peer);
  guessing_.forget(peer, now_.mono);
  admission_.forget(peer);
}

}  // namespace ipop::overlay
