#include "overlay/peer/path_chooser.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProbeInterval = 30s;
constexpr Duration kSettleTime = 2s;
constexpr Duration kRoundInterval = 150ms;
constexpr Duration kAttemptInterval = 900ms;
constexpr Duration kWorthMoving = 2ms;
constexpr int kRelayHeader = 8;

}  // namespace

PathRank rank_of(const Endpoint& remote, const std::vector<Prefix>& local) noexcept {
  if (remote.label != 0) return PathRank::kRelay;
  const bool on_link = std::ranges::any_of(
      local, [&](const Prefix& prefix) { return prefix.contains(remote.address); });
  if (on_link) return PathRank::kLan;
  return remote.address.is_v4() ? PathRank::kDirect4 : PathRank::kDirect6;
}

void PathChooser::use(Peer& peer, const Endpoint& endpoint) {
  if (peer.path == endpoint || territory_.inside(endpoint.address)) return;
  if (peer.path) {
    log::debug("{}: path moves from {} to {}", peer.display(), peer.path->to_string(),
               endpoint.to_string());
  }
  peer.path = endpoint;
  const bool v4 = endpoint.address.is_v4();
  // Behind a relay the way may go on over IPv6, whatever our part of it is.
  const bool relayed = endpoint.label != 0;
  const int headers = relayed ? 40 + 8 + kRelayHeader : v4 ? 20 + 8 : 40 + 8;
  const int ceiling = relayed ? context_.path_mtu - kRelayHeader
                      : v4    ? context_.path_mtu + 20
                              : context_.path_mtu;
  peer.path_mtu =
      static_cast<std::uint16_t>(std::clamp(context_.link_mtu(endpoint) - headers, 500, ceiling));
  context_.table.set_path(peer.index, {.remote = endpoint, .mtu = peer.path_mtu});
  liveness_.reset(peer);
  if (endpoint.label == 0) peer.upgrades = 0;
}

void PathChooser::lose(Peer& peer) {
  peer.path.reset();
  context_.table.set_path(peer.index, {.remote = {}, .mtu = peer.path_mtu});
  liveness_.reset(peer);
}

bool PathChooser::chooses(const Peer& peer) const {
  const auto id = peer.node_id();
  return id && context_.identity.node_id() < *id;
}

// Who does not answer is not pinged for ever: whoever says where a peer may be could be lying.
void PathChooser::ping(Peer& peer, const Endpoint& endpoint, Instant now) {
  const Trial* const trial = peer.trials.find(endpoint);
  const bool answers = trial != nullptr && trial->answered;
  if (!answers && !peer.probe_budget.take(endpoint.address, now)) return;
  liveness_.send_ping(peer, now, endpoint);
  peer.trials.sent(endpoint, now);
}

void PathChooser::probe(Peer& peer, Instant now) {
  if (!peer.connected() || !peer.path || now < peer.next_probe) return;
  if (peer.is_relayed()) {
    if (peer.probe_rounds == 0) return;
    --peer.probe_rounds;
    peer.next_probe = now + kRoundInterval;
  } else {
    if (!chooses(peer)) return;
    peer.probe_rounds = 0;
    peer.next_probe = now + kProbeInterval;
  }
  const PathRank in_use = rank_of(*peer.path, territory_.local());
  for (const Candidate& candidate : peer.candidates) {
    if (candidate.endpoint != *peer.path &&
        rank_of(candidate.endpoint, territory_.local()) < in_use) {
      ping(peer, candidate.endpoint, now);
    }
  }
}

void PathChooser::answer_probe(Peer& peer, const Endpoint& source, Instant now) {
  if (!peer.connected() || !peer.path || !chooses(peer)) return;
  if (rank_of(source, territory_.local()) < rank_of(*peer.path, territory_.local()))
    ping(peer, source, now);
}

// Whoever asks for it cannot ask for more than one attempt in a second.
void PathChooser::plan_probes(Peer& peer, unsigned rounds, Instant at) {
  if (at - peer.probes_planned < kAttemptInterval) return;
  peer.probes_planned = at;
  peer.probe_rounds = rounds;
  peer.next_probe = at;
}

void PathChooser::probe_all(Peer& peer, Instant now) {
  for (const Candidate& candidate : peer.candidates) {
    if (candidate.endpoint != peer.path) ping(peer, candidate.endpoint, now);
  }
  for (const Endpoint& relayed : peer.relayed) {
    if (relayed != peer.path) ping(peer, relayed, now);
  }
}

bool PathChooser::better(const Peer& peer, const Endpoint& source, Duration rtt) const {
  if (!peer.path || peer.liveness.in_doubt) return true;
  if (!chooses(peer)) return false;
  const PathRank there = rank_of(source, territory_.local());
  const PathRank here = rank_of(*peer.path, territory_.local());
  if (there != here) return there < here;
  // Between relays the round trip counts, if the difference is worth the trouble.
  return here == PathRank::kRelay && peer.liveness.rtt &&
         rtt + kWorthMoving < *peer.liveness.rtt * 4 / 5;
}

bool PathChooser::consider(Peer& peer, const Endpoint& source, Duration rtt, Instant now) {
  if (peer.path == source || territory_.inside(source.address) || !better(peer, source, rtt))
    return false;
  log::info("{}: better path {}, {:.1f} ms", peer.display(), source.to_string(),
            static_cast<double>(rtt.count()) / 1e6);
  use(peer, source);
  peer.moved_at = now;
  // So that the other end follows at once, whoever has something to send.
  context_.injector.send_sealed(peer.current, {});
  return true;
}

void PathChooser::meet(Peer& peer, const Endpoint& source, bool first, Instant now) {
  if (!first) return follow(peer, source, now);
  use(peer, source);
  peer.moved_at = now;
}

void PathChooser::follow(Peer& peer, const Endpoint& source, Instant now) {
  if (peer.path && *peer.path != source) {
    const PathRank there = rank_of(source, territory_.local());
    const PathRank here = rank_of(*peer.path, territory_.local());
    // What was in flight when one of us moved to a better path must not take us back.
    const bool just_moved = now - peer.moved_at < kSettleTime && !peer.liveness.in_doubt;
    // Two ends that use different relays must not follow each other for ever.
    const bool both_relayed = there == PathRank::kRelay && here == PathRank::kRelay;
    if (just_moved && (there > here || (both_relayed && chooses(peer)))) return;
    if (there < here || both_relayed) peer.moved_at = now;
    log::info("{}: now comes from {}", peer.display(), source.to_string());
  }
  use(peer, source);
}

}  // namespace ipop::overlay
