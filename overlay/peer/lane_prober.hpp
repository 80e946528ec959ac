// Finds out which lanes of a peer's sessions may go by UDP ports of their own: what is sent by such
// a port has to pass NATs and firewalls that know of the path's port alone. Each lane is probed;
// one that is not heard goes along with the first. Only on direct paths. Overlay thread; time is
// passed in.
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/peer/context.hpp"
#include "overlay/peer/lane_message.hpp"
#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

class LaneProber {
 public:
  explicit LaneProber(Context& context) : context_(context) {}

  // True if it is time for a new session.
  [[nodiscard]] bool service(Peer& peer, Instant now);
  // When service() has something to do soon; nothing while all is settled.
  [[nodiscard]] std::optional<Instant> deadline(const Peer& peer) const;
  void on_probe(Peer& peer, engine::ReceiverIndex session, const Endpoint& source,
                const message::LaneProbe& probe);
  void on_heard(Peer& peer, const message::LaneHeard& heard, Instant now);

 private:
  // Those that the peer opens for and that the wire has a port for.
  [[nodiscard]] std::uint32_t lanes_to_probe(const Peer& peer) const;
  void begin_round(LaneProbing& state, std::uint32_t lanes) const;
  void probe(Peer& peer, Instant now);
  void end_round(Peer& peer, Instant now);
  void use(Peer& peer, std::uint32_t ours, Instant now);

  Context& context_;
};

}  // namespace ipop::overlay
