// The pools that ports and lcores take packet buffers from. Values; the pools are the engine's.
#pragma once

#include <rte_mempool.h>

namespace ipop::engine {

struct PacketPools {
  // One pool for both, where no super-packet ever comes: tests, mostly.
  PacketPools(rte_mempool* one) noexcept : packets(one), supers(one) {}  // NOLINT: meant to convert
  PacketPools(rte_mempool* small, rte_mempool* large) noexcept : packets(small), supers(large) {}

  rte_mempool* packets;  // buffers for one packet of wire size, with headroom
  rte_mempool* supers;   // buffers of 64 KiB: a super-packet of the host, a train of datagrams
};

}  // namespace ipop::engine
