// A wire that costs a ring in memory and nothing else: datagrams by reference, endpoints beside
// them.
#pragma once

#include "engine/port/memory_port.hpp"

namespace ipop::perf {

class MemoryWire {
 public:
  static constexpr const char* kName = "memory";

  [[nodiscard]] engine::WirePort& port() noexcept { return port_; }
  void attach(rte_mempool*) {}

  // Datagrams that were sent, each from its payload on.
  [[nodiscard]] std::uint16_t take(std::span<rte_mbuf*> into) noexcept {
    return port_.out().pop(into);
  }
  // Makes of a datagram what comes in when it was sent from there to us.
  static void address(rte_mbuf* datagram, const Endpoint& from) noexcept {
    engine::meta(datagram).endpoint = from;
  }
  void give(std::span<rte_mbuf* const> datagrams) noexcept { port_.in().push(datagrams); }

 private:
  engine::MemoryWirePort port_;
};

}  // namespace ipop::perf
