// What one lcore counts: packets in, and the fate of each. The lcore writes, anybody reads.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "engine/api/fate.hpp"
#include "engine/owned_counter.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {

struct alignas(64) LcoreCounters {
  OwnedCounter host_rx;
  OwnedCounter wire_rx;
  OwnedCounter generated;
  OwnedCounter handed_over;  // to other lcores, who count their fate
  OwnedCounter staged;       // waiting now
  std::array<OwnedCounter, kFateCount> fates;

  void count(Fate fate, std::uint64_t packets = 1) noexcept {
    fates[static_cast<std::size_t>(fate)].add(packets);
  }
  // Where all failures end.
  void drop(rte_mbuf* packet, Fate why) noexcept {
    count(why, packet_count(packet));
    rte_pktmbuf_free(packet);
  }
  void add_to(EngineCounters& sum) const noexcept {
    sum.host_rx += host_rx.get();
    sum.wire_rx += wire_rx.get();
    sum.generated += generated.get();
    sum.handed_over += handed_over.get();
    sum.staged += staged.get();
    for (std::size_t i = 0; i < kFateCount; ++i)
      sum.fates[i] += fates[i].get();
  }
};

}  // namespace ipop::engine
