#include "perf/pps/forwarding.hpp"

#include <rte_ethdev.h>

#include <cstring>
#include <stdexcept>

#include "engine/mempool.hpp"
#include "engine/path/packet.hpp"
#include "perf/pps/memif_wire.hpp"
#include "perf/pps/ring_wire.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

constexpr std::uint32_t kFrameSize = 64;
constexpr MacAddress kNextHop{{0x02, 0, 0, 0, 0, 0}};

std::uint16_t forward(const EthdevDevice& device, Forwarding how, std::span<rte_mbuf*> burst) {
  const std::uint16_t count = rte_eth_rx_burst(device.id(), 0, burst.data(), kBurst);
  if (how == Forwarding::kMac) {
    for (rte_mbuf* const frame : burst.first(count)) {
      kNextHop.write_to(data_of(frame));
      device.mac().write_to(data_of(frame) + sizeof kNextHop.bytes);
    }
  }
  return rte_eth_tx_burst(device.id(), 0, burst.data(), count);
}

void lay_in(EthdevWire& wire, rte_mempool* pool) {
  rte_mbuf* frames[kBurst];
  if (rte_pktmbuf_alloc_bulk(pool, frames, kBurst) != 0) {
    throw std::runtime_error("no buffers left");
  }
  for (rte_mbuf* const frame : frames) {
    set_length(frame, kFrameSize - EthdevWire::kHeaders);
    wire.address(frame, {IpAddress::v4(0x64600000), EthdevWire::kPort});
  }
  wire.give(frames);
}

}  // namespace

template <typename Wire>
std::vector<double> forwarding_ns(Forwarding how) {
  Mempool pool(PoolSettings{.packets = 4095});
  Wire wire;
  wire.attach(pool.get());
  rte_mbuf* burst[kBurst];
  const Workload workload;
  Stopwatch watch;
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    for (std::uint32_t round = 0; round < workload.rounds(); ++round) {
      lay_in(wire, pool.get());
      std::uint16_t forwarded = 0;
      watch.time(kBurst, [&] { forwarded = forward(wire.device(), how, burst); });
      if (forwarded != kBurst) throw std::runtime_error("frames were lost on the way");
      rte_pktmbuf_free_bulk(burst, wire.take(burst));
    }
    watch.end_batch();
  }
  wire.port().release_buffers();
  return watch.batches();
}

template std::vector<double> forwarding_ns<RingWire>(Forwarding);
template std::vector<double> forwarding_ns<MemifWire>(Forwarding);

}  // namespace ipop::perf
