// Wire → host: classify, find the session, open, refuse replays, check the inner source, deliver.
// What is not data goes up to the overlay. One lcore. It takes every datagram it is given.
#pragma once

#include <array>
#include <span>

#include "engine/aead/aead.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/host_batch.hpp"
#include "engine/path/punt_ring.hpp"
#include "engine/port/port.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class Decap {
 public:
  // kPathChanged is punted at most so often for one session.
  static constexpr Duration kPathEvery = std::chrono::milliseconds(100);

  Decap(const TableReader& table, AeadEngine& aead, HostBatch& host, PuntRing& punts,
        LcoreCounters& counters) noexcept
      : table_(table), aead_(aead), host_(host), punts_(punts), counters_(counters) {}

  // At most kBurst datagrams.
  void wire_burst(std::span<rte_mbuf*> datagrams, Instant now) noexcept;

 private:
  // Data datagrams of one burst on their way through the stages.
  struct Sealed {
    std::array<rte_mbuf*, kBurst> packets;
    std::array<Session*, kBurst> sessions;
    std::array<AeadJob, kBurst> jobs;
    std::size_t count = 0;
  };

  void sort(std::span<rte_mbuf*> datagrams, Sealed& sealed) noexcept;
  void punt(rte_mbuf* datagram) noexcept;
  void find_sessions(Sealed& sealed, Instant now) noexcept;
  void accept(rte_mbuf* packet, Session& session, const AeadJob& job, Instant now) noexcept;
  // From here on `packet` is the plaintext alone.
  void handle_plaintext(rte_mbuf* packet, Session& session, Instant now) noexcept;
  void handle_inner(rte_mbuf* packet, Session& session, const PeerView& view, Instant now) noexcept;
  void follow_path(rte_mbuf* packet, Session& session, const PeerView& view, Instant now) noexcept;

  TableReader table_;
  AeadEngine& aead_;
  HostBatch& host_;
  PuntRing& punts_;
  LcoreCounters& counters_;
};

}  // namespace ipop::engine
