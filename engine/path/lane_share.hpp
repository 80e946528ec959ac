// Who seals by which of a peer's lanes. Lanes are dealt out in turns, beginning with another lcore
// for each peer, so that peers with one lane are spread over all. Within what one lcore has, a flow
// stays on one lane. Lcores, and the overlay thread for what it injects; pure.
#pragma once

#include <cstdint>
#include <utility>

#include "engine/api/types.hpp"
#include "engine/path/flow.hpp"
#include "engine/table/session.hpp"

namespace ipop::engine {

class LaneShare {
 public:
  // At most kMaxLanes lcores.
  LaneShare() noexcept = default;
  LaneShare(unsigned lcore, unsigned lcores) noexcept : lcore_(lcore), lcores_(lcores) {}

  [[nodiscard]] unsigned lcore() const noexcept { return lcore_; }
  [[nodiscard]] static unsigned owner(PeerIndex peer, unsigned lane, unsigned lcores) noexcept {
    return (std::to_underlying(peer) + lane) % lcores;
  }
  // Lane 0, which carries what is not of a host's flow.
  [[nodiscard]] bool has_first(PeerIndex peer) const noexcept {
    return lcores_ == 1 || owner(peer, 0, lcores_) == lcore_;
  }

  // The lane that this lcore seals an IP packet by; nullptr if it has none of the session's.
  [[nodiscard]] SendLane* lane_for(Session& session, const rte_mbuf* packet) const noexcept {
    const unsigned lanes = session.sent.lanes;
    if (lanes == 1 && lcores_ == 1) [[likely]]
      return &session.sent;
    // owner() of it is this lcore, and of each lcores_th one after it.
    const unsigned first = (lcore_ + lcores_ - owner(session.peer, 0, lcores_)) % lcores_;
    if (first >= lanes) return nullptr;
    const unsigned count = (lanes - first + lcores_ - 1) / lcores_;
    const unsigned turn = count == 1 ? 0 : flow_hash(packet) % count;
    return &session.send_lane(static_cast<std::uint8_t>(first + turn * lcores_));
  }
  // Whose it is then.
  [[nodiscard]] unsigned lcore_for(const Session& session, const rte_mbuf* packet) const noexcept {
    return owner(session.peer, flow_hash(packet) % session.sent.lanes, lcores_);
  }

 private:
  unsigned lcore_ = 0;
  unsigned lcores_ = 1;
};

}  // namespace ipop::engine
