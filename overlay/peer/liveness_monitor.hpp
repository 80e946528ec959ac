// Whether a peer still answers: pings under traffic, round-trip times, keepalives, and the verdict
// that a path is dead. Overlay thread; time is passed in.
#pragma once

#include <optional>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

class LivenessMonitor {
 public:
  explicit LivenessMonitor(Context& context) : context_(context) {}

  enum class Verdict : std::uint8_t {
    kWell,
    kDoubtful,  // what we send is not answered, and neither is a ping
    kSilent,    // WireGuard's rule or ours says: handshake again, everywhere it may be
  };
  // Sends the keepalives and pings that are due. Only for connected peers.
  [[nodiscard]] Verdict service(Peer& peer, Instant now);

  // A ping along the peer's path, or to `via`. Returns its sequence number.
  std::uint32_t send_ping(Peer& peer, Instant now, std::optional<Endpoint> via = std::nullopt);
  // Answers to where it came from.
  void on_ping(Peer& peer, engine::ReceiverIndex session, const Endpoint& source,
               const message::Ping& ping);
  // The round trip, or nothing if the pong answers no ping of ours.
  [[nodiscard]] std::optional<Duration> on_pong(Peer& peer, const Endpoint& source,
                                                const message::Pong& pong, Instant now);
  // Forgets what was measured on a path that is no longer used.
  void reset(Peer& peer);

 private:
  void keep_alive(Peer& peer, const engine::SessionActivity& activity, Instant now);
  [[nodiscard]] Verdict judge(Peer& peer, const engine::SessionActivity& activity, Instant now);

  Context& context_;
};

}  // namespace ipop::overlay
