// What goes to the host in one turn: packets out of the tunnel, and the engine's own answers. One
// lcore.
#pragma once

#include <array>
#include <cstdint>

#include "engine/lcore_counters.hpp"
#include "engine/path/coalesce.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

class HostBatch {
 public:
  HostBatch(HostPort& port, LcoreCounters& counters) noexcept
      : port_(port), counters_(counters), frames_(port.offloads()) {}

  // A whole IP packet with 14 bytes in front of it that may be written; they stay the caller's, and
  // where they are, until flush() has returned. `transport`: what parse_transport()
  // finds. `partial`: its checksum is. True: continue_flow() may take what comes next.
  [[nodiscard]] bool deliver(std::uint8_t* packet, const InnerPacket& inner, Transport transport,
                             bool partial) noexcept;
  // Delivers a packet that continues the flow of the last one for which deliver() gave true, and
  // differs from it only as its successor must; false for any other.
  [[nodiscard]] bool continue_flow(std::uint8_t* packet, std::uint32_t length) noexcept {
    return frames_.extend(packet, length);
  }
  // The same for a packet that is a buffer of its own, which is freed.
  void answer(rte_mbuf* packet, const InnerPacket& inner) noexcept;
  // Everything goes; each packet's fate is counted.
  void flush() noexcept;

 private:
  HostPort& port_;
  LcoreCounters& counters_;
  Coalescer frames_;
  std::uint16_t own_count_ = 0;
  std::array<rte_mbuf*, Coalescer::kFrames> own_;
};

}  // namespace ipop::engine
