// Host → wire: parse the frame, find the peer, seal, send; or let the packet wait and ask the
// overlay. One lcore. It takes every packet it is given.
#pragma once

#include <span>

#include "engine/api/inject.hpp"
#include "engine/firewall/gate.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/handover.hpp"
#include "engine/path/host_answers.hpp"
#include "engine/path/host_packet.hpp"
#include "engine/path/lane_share.hpp"
#include "engine/path/punt_ring.hpp"
#include "engine/path/staging.hpp"
#include "engine/path/wire_batch.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class Encap {
 public:
  Encap(const TableReader& table, const LaneShare& share, Handover& handover, WireBatch& wire,
        HostAnswers& answers, PuntRing& punts, LcoreCounters& counters) noexcept
      : table_(table),
        share_(share),
        handover_(handover),
        wire_(wire),
        answers_(answers),
        punts_(punts),
        counters_(counters),
        gate_(table.firewall, share.lcore(), firewall::Direction::kOut) {}

  // At most kBurst frames of the host, or of other lcores.
  void host_burst(std::span<rte_mbuf*> frames, Instant now) noexcept;
  // Sends, in order, all that waits and now has a route, a session and a path.
  void retry_staged(Instant now) noexcept;
  // Drops what waits for this address and tells its senders.
  void reject_staged(const IpAddress& address, RejectReason reason, Instant now) noexcept;
  // Now and then: drops what has waited too long, asks again for the rest.
  void tick(Instant now) noexcept;
  // At the end: nothing waits any more.
  void give_up(Instant now) noexcept { expire(now + Staging::kPatience); }

  [[nodiscard]] bool has_staged() const noexcept { return staging_.packets() != 0; }

 private:
  void forward(rte_mbuf* packet, const PeerView& view, SendLane& lane, Instant now) noexcept;
  // Whether the firewall lets it out; if not, it is gone.
  [[nodiscard]] bool may_leave(rte_mbuf* packet, const PeerView& view, Instant now) noexcept;
  void fetch_flows(std::span<rte_mbuf* const> packets, std::span<const std::uint8_t> runs,
                   const PeerView* const* views) const noexcept;
  void forward_super(rte_mbuf* packet, const PeerView& view, SendLane& lane, Instant now) noexcept;
  // To the lcore that has a lane for it.
  void hand_over(rte_mbuf* packet, const Session& session) noexcept;
  void stage(rte_mbuf* packet, const IpAddress& destination, PeerIndex peer, Instant now) noexcept;
  void release(const IpAddress& destination, const PeerView& view, Instant now) noexcept;
  void ask(const IpAddress& destination, PeerIndex peer, Instant now) noexcept;
  void expire(Instant now) noexcept;

  TableReader table_;
  LaneShare share_;
  Handover& handover_;
  WireBatch& wire_;
  HostAnswers& answers_;
  PuntRing& punts_;
  LcoreCounters& counters_;
  HostPackets host_;
  Staging staging_;
  firewall::Gate gate_;
};

}  // namespace ipop::engine
