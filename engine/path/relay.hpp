// Passes on what peers send each other through us: looks at the label, swaps the header, touches
// nothing else. A buffer that goes on as a whole is not copied, a train stays a train. What is
// relayed to us comes out here too. One lcore.
#pragma once

#include <array>
#include <cstdint>

#include "engine/lcore_counters.hpp"
#include "engine/port/port.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class Relay {
 public:
  Relay(const TableReader& table, unsigned lcore, WirePort& port, const PacketPools& pools,
        LcoreCounters& counters) noexcept
      : table_(table), lcore_(lcore), port_(port), pools_(pools), counters_(counters) {}

  // Before the first datagram of a burst.
  void begin_burst(Instant now) noexcept;
  // One datagram, a whole relay header and more, of the buffer whose datagrams are taken in order.
  // If it is for us: where it came from, with the label to answer by, valid in this turn; what is
  // relayed begins behind the header. Otherwise nullptr: it goes on, or was dropped and counted.
  [[nodiscard]] const Endpoint* take(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                                     Instant now) noexcept;
  // After the last datagram of a buffer: true if it goes on itself, and is no longer the caller's.
  [[nodiscard]] bool end_buffer(rte_mbuf* buffer) noexcept {
    return run_.to != nullptr && close(buffer);
  }
  // Everything goes; each packet's fate is counted.
  void flush() noexcept;

 private:
  // Datagrams that lie one behind another, go to one place, and can leave as one train.
  struct Run {
    const Endpoint* to = nullptr;  // nullptr: there is none
    std::uint8_t* at = nullptr;
    std::uint32_t size = 0;
    std::uint32_t each = 0;  // the first one's length; the last may be shorter
  };

  [[nodiscard]] bool allowed(std::uint32_t bytes) noexcept;
  [[nodiscard]] bool extend(const Endpoint* to, const std::uint8_t* at,
                            std::uint32_t length) noexcept;
  [[nodiscard]] bool close(rte_mbuf* buffer) noexcept;
  void copy_run() noexcept;
  void add(rte_mbuf* packet, const Endpoint& to) noexcept;

  TableReader table_;
  unsigned lcore_;
  WirePort& port_;
  PacketPools pools_;
  LcoreCounters& counters_;
  Run run_;
  std::uint16_t count_ = 0;
  std::array<rte_mbuf*, kBurst> packets_;
  std::uint64_t limit_ = 0;  // bits a second, of this burst; 0 = none
};

}  // namespace ipop::engine
