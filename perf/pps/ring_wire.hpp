// A DPDK port of two rings (net_ring): frames pass by reference, so that what is left to see is the
// cost of headers, checks and the driver's calls.
#pragma once

#include <rte_ring.h>

#include "perf/pps/ethdev_wire.hpp"

namespace ipop::perf {

class RingWire final : public EthdevWire {
 public:
  static constexpr const char* kName = "net_ring";

  RingWire();
  ~RingWire() override;

 private:
  [[nodiscard]] std::uint16_t take_frames(std::span<rte_mbuf*> into) noexcept override;
  void give_frames(std::span<rte_mbuf* const> frames) noexcept override;

  rte_ring* in_ = nullptr;
  rte_ring* out_ = nullptr;
};

}  // namespace ipop::perf
