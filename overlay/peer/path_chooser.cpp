#include "overlay/peer/path_chooser.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProbeInterval = 30s;
constexpr Duration kSettleTime = 2s;

}  // namespace

PathRank rank_of(const Endpoint& remote, const std::vector<Prefix>& local) noexcept {
  const bool on_link = std::ranges::any_of(
      local, [&](const Prefix& prefix) { return prefix.contains(remote.address); });
  if (on_link) return PathRank::kLan;
  return remote.address.is_v4() ? PathRank::kDirect4 : PathRank::kDirect6;
}

const char* name(PathRank rank) noexcept {
  return rank == PathRank::kLan ? "lan" : "direct";
}

void PathChooser::use(Peer& peer, const Endpoint& endpoint) {
  if (peer.path == endpoint || territory_.inside(endpoint.address)) return;
  if (peer.path) {
    log::debug("{}: path moves from {} to {}", peer.display(), peer.path->to_string(),
               endpoint.to_string());
  }
  peer.path = endpoint;
  const bool v4 = endpoint.address.is_v4();
  const int headers = v4 ? 20 + 8 : 40 + 8;
  const int ceiling = v4 ? context_.path_mtu + 20 : context_.path_mtu;
  peer.path_mtu =
      static_cast<std::uint16_t>(std::clamp(context_.link_mtu(endpoint) - headers, 500, ceiling));
  context_.table.set_path(peer.index, {.remote = endpoint, .mtu = peer.path_mtu});
  liveness_.reset(peer);
}

bool PathChooser::chooses(const Peer& peer) const {
  const auto id = peer.node_id();
  return id && context_.identity.node_id() < *id;
}

void PathChooser::probe(Peer& peer, Instant now) {
  if (!peer.connected() || !peer.path || now < peer.next_probe || !chooses(peer)) return;
  peer.next_probe = now + kProbeInterval;
  const PathRank in_use = rank_of(*peer.path, territory_.local());
  for (const Candidate& candidate : peer.candidates) {
    if (candidate.endpoint != *peer.path &&
        rank_of(candidate.endpoint, territory_.local()) < in_use) {
      liveness_.send_ping(peer, now, candidate.endpoint);
      peer.trials.sent(candidate.endpoint, now);
    }
  }
}

void PathChooser::consider(Peer& peer, const Endpoint& source, Duration rtt, Instant now) {
  if (!peer.path || *peer.path == source || !chooses(peer)) return;
  if (territory_.inside(source.address) ||
      rank_of(source, territory_.local()) >= rank_of(*peer.path, territory_.local()))
    return;
  log::info("{}: better path {}, {:.1f} ms", peer.display(), source.to_string(),
            static_cast<double>(rtt.count()) / 1e6);
  use(peer, source);
  peer.moved_at = now;
}

void PathChooser::follow(Peer& peer, const Endpoint& source, Instant now) {
  // What was in flight when we moved to a better path must not take us back.
  const bool just_moved = now - peer.moved_at < kSettleTime && chooses(peer);
  if (just_moved && peer.path &&
      rank_of(source, territory_.local()) > rank_of(*peer.path, territory_.local())) {
    return;
  }
  if (peer.path && *peer.path != source) {
    log::info("{}: now comes from {}", peer.display(), source.to_string());
  }
  use(peer, source);
}

}  // namespace ipop::overlay
