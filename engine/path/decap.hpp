// Wire → host: classify, find the session, open, refuse replays, check the inner source, deliver.
// What is not data goes up to the overlay. One lcore. Datagrams are opened where they lie, so those
// of a train are never copied.
#pragma once

#include <array>
#include <span>

#include "engine/aead/aead.hpp"
#include "engine/firewall/gate.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/handover.hpp"
#include "engine/path/host_batch.hpp"
#include "engine/path/punt_ring.hpp"
#include "engine/path/relay.hpp"
#include "engine/port/port.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class Decap {
 public:
  // kPathChanged is punted at most so often for one session.
  static constexpr Duration kPathEvery = std::chrono::milliseconds(100);

  Decap(const TableReader& table, unsigned lcore, rte_mempool* packets, Handover& handover,
        AeadEngine& aead, HostBatch& host, Relay& relay, PuntRing& punts,
        LcoreCounters& counters) noexcept
      : table_(table),
        lcore_(static_cast<std::uint8_t>(lcore)),
        packets_(packets),
        handover_(handover),
        aead_(aead),
        host_(host),
        relay_(relay),
        punts_(punts),
        counters_(counters),
        gate_(table.firewall, lcore, firewall::Direction::kIn) {}

  // At most kBurst buffers, each one datagram or a train. They stay the caller's, who keeps them
  // until the host batch was flushed; but for those that become nullptr, which are relayed.
  void wire_burst(std::span<rte_mbuf*> buffers, Instant now) noexcept;

 private:
  // Opened together: enough for a multi-buffer AEAD, few enough to stay in the first cache.
  static constexpr std::size_t kTogether = 32;

  struct Datagram {
    std::uint8_t* at = nullptr;
    std::uint32_t length = 0;
    const Endpoint* source = nullptr;
  };
  // Data datagrams on their way through the stages.
  struct Sealed {
    std::array<Datagram, kTogether> datagrams;
    std::array<ReceiveLane*, kTogether> lanes;
    std::array<AeadJob, kTogether> jobs;
    std::size_t count = 0;
  };

  // Whose packet came last of a flow that the host batch can continue. What was found out about
  // it, that its source is the peer's and where it came from, holds for what continues it.
  struct Run {
    const ReceiveLane* lane = nullptr;
    const Endpoint* source = nullptr;
  };

  void sort(std::uint8_t* at, std::uint32_t length, const Endpoint& source, Sealed& sealed,
            Instant now) noexcept;
  // What came through a relay; `source` has the label to answer by.
  void sort_relayed(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                    Sealed& sealed) noexcept;
  void take_data(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                 Sealed& sealed) noexcept;
  void punt(ByteView bytes, const Endpoint& source) noexcept;
  void open(Sealed& sealed, Instant now) noexcept;
  void find_sessions(Sealed& sealed, Instant now) noexcept;
  // The lane that a datagram says it is of; nullptr if the session has no such lane.
  [[nodiscard]] static ReceiveLane* lane_of(Session& session, std::uint64_t counter) noexcept;
  // Whether this lcore opens for the lane: from the first datagram on, if that comes to it.
  [[nodiscard]] bool owns(ReceiveLane& lane) noexcept;
  void hand_over(const Datagram& datagram, unsigned to) noexcept;
  void confirm(const Datagram& datagram, ReceiveLane& lane) noexcept;
  void accept(const Datagram& datagram, ReceiveLane& lane, const AeadJob& job,
              Instant now) noexcept;
  // From here on `text` is the plaintext alone.
  [[nodiscard]] bool continue_run(const Datagram& text, ReceiveLane& lane, Instant now) noexcept;
  void handle_plaintext(const Datagram& text, ReceiveLane& lane, Instant now) noexcept;
  void handle_inner(const Datagram& text, ReceiveLane& lane, Instant now) noexcept;
  // Whether the peer may send from `inner_source`; counts what it may not. `version`: of the peer's
  // view, read before.
  [[nodiscard]] bool admit(const IpAddress& inner_source, const Endpoint& from,
                           std::uint32_t version, ReceiveLane& lane, Instant now) noexcept;
  void fetch_marks(PeerIndex peer) const noexcept;
  void fetch_flows(const Sealed& sealed) const noexcept;
  // Whether the firewall lets it in; counts what it does not. `text`: the inner packet alone.
  [[nodiscard]] bool may_enter(ByteView text, ReceiveLane& lane) noexcept;
  void follow_path(const Endpoint& source, ReceiveLane& lane, const PeerView& view,
                   Instant now) noexcept;

  TableReader table_;
  std::uint8_t lcore_;
  rte_mempool* packets_;
  Handover& handover_;
  AeadEngine& aead_;
  HostBatch& host_;
  Relay& relay_;
  PuntRing& punts_;
  LcoreCounters& counters_;
  Run run_;  // within one wire_burst()
  firewall::Gate gate_;
};

}  // namespace ipop::engine
