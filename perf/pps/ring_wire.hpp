// A wire of real frames: a DPDK port of two rings (net_ring), with all of the headers, the look-up
// of neighbours and the checks that a card's frames get, and no card. Behind it stands one gateway.
#pragma once

#include <rte_ring.h>

#include <memory>
#include <span>

#include "engine/port/ethdev_port.hpp"

namespace ipop::perf {

class RingWire {
 public:
  static constexpr const char* kName = "net_ring";
  static constexpr std::uint16_t kPort = 4545;

  RingWire();
  ~RingWire();
  RingWire(const RingWire&) = delete;
  RingWire& operator=(const RingWire&) = delete;

  [[nodiscard]] engine::WirePort& port() noexcept { return *port_; }
  // Starts it, and lets the gateway answer.
  void attach(rte_mempool* pool);

  // As MemoryWire: the frames' headers are cut off, and put in front.
  [[nodiscard]] std::uint16_t take(std::span<rte_mbuf*> into) noexcept;
  void address(rte_mbuf* datagram, const Endpoint& from) const noexcept;
  void give(std::span<rte_mbuf* const> frames) noexcept;

  // What the driver and the rings alone cost: one burst is received and sent on.
  [[nodiscard]] std::uint16_t forward(std::span<rte_mbuf*> burst) noexcept;

 private:
  [[nodiscard]] std::uint16_t take_frames(std::span<rte_mbuf*> into) noexcept;

  rte_ring* in_ = nullptr;
  rte_ring* out_ = nullptr;
  std::unique_ptr<engine::EthdevPort> port_;
};

}  // namespace ipop::perf
