// What goes to the host in one turn: IP packets that get their Ethernet header here. One lcore.
#pragma once

#include <array>
#include <cstdint>

#include "engine/lcore_counters.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

class HostBatch {
 public:
  HostBatch(HostPort& port, LcoreCounters& counters) noexcept : port_(port), counters_(counters) {}

  // A whole IP packet from `source`, with 14 bytes of headroom.
  void deliver(rte_mbuf* packet, const IpAddress& source) noexcept;
  // Everything goes; each packet's fate is counted.
  void flush() noexcept;

 private:
  HostPort& port_;
  LcoreCounters& counters_;
  std::uint16_t count_ = 0;
  std::array<rte_mbuf*, kBurst> frames_;
};

}  // namespace ipop::engine
