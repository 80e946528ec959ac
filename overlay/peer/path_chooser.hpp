// Which of a peer's endpoints to use: LAN before IPv6 before IPv4 before relays, and of these the
// one with the shorter round trip. Of two peers, the one with the smaller node id tries better
// endpoints and moves; the other follows where authentic data comes from, so that the two never
// chase each other. Overlay thread.
#pragma once

#include <optional>
#include <vector>

#include "overlay/peer/liveness_monitor.hpp"
#include "overlay/peer/territory.hpp"

namespace ipop::overlay {

// How an endpoint is reached; a smaller rank is better.
enum class PathRank : std::uint8_t { kLan = 0, kDirect6 = 1, kDirect4 = 2, kRelay = 3 };

// The rank of sending to `remote`, from a host with these local prefixes (its interfaces').
[[nodiscard]] PathRank rank_of(const Endpoint& remote, const std::vector<Prefix>& local) noexcept;
class PathChooser {
 public:
  PathChooser(Context& context, LivenessMonitor& liveness, const Territory& territory)
      : context_(context), liveness_(liveness), territory_(territory) {}

  // Makes `endpoint` the peer's path, unless it lies inside the virtual network.
  void use(Peer& peer, const Endpoint& endpoint);
  // There is no way to the peer: host packets wait until there is.
  void lose(Peer& peer);
  // Pings endpoints that would be better than the path in use, now and then. Where that is a relay,
  // both ends do so at once, so that their NATs let the other's in.
  void probe(Peer& peer, Instant now);
  // Both ends will try all direct endpoints, in `rounds` pings each, from `at` on.
  void plan_probes(Peer& peer, unsigned rounds, Instant at);
  // The peer pings us from an endpoint that its NAT may have made for this alone, and that would be
  // a better path: whether it answers there decides.
  void answer_probe(Peer& peer, const Endpoint& source, Instant now);
  // Asks whether the peer is there, if it may still be asked for.
  void ping(Peer& peer, const Endpoint& endpoint, Instant now);
  // Pings every endpoint but the path, which seems to be dead.
  void probe_all(Peer& peer, Instant now);
  // A ping to `source` was answered in `rtt`: moves there if that is better, or if the path in use
  // seems to be dead. True if it moved.
  bool consider(Peer& peer, const Endpoint& source, Duration rtt, Instant now);
  // A session was made by a handshake that came from `source`; the peer's first one, or another.
  // Where both ends called at once, by a relay and directly, the better way stays.
  void meet(Peer& peer, const Endpoint& source, bool first, Instant now);
  // Authentic data came from elsewhere than the path (roaming): follow.
  void follow(Peer& peer, const Endpoint& source, Instant now);
  // Whether, of the two of us, we try better endpoints and move.
  [[nodiscard]] bool chooses(const Peer& peer) const;

 private:
  [[nodiscard]] bool better(const Peer& peer, const Endpoint& source, Duration rtt) const;

  Context& context_;
  LivenessMonitor& liveness_;
  const Territory& territory_;
};

}  // namespace ipop::overlay
