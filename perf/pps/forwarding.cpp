#include "perf/pps/forwarding.hpp"

#include <stdexcept>

#include "engine/mempool.hpp"
#include "engine/path/packet.hpp"
#include "perf/pps/ring_wire.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {

std::vector<double> forwarding_ns() {
  engine::Mempool pool(engine::PoolSettings{.packets = 4095});
  RingWire wire;
  wire.attach(pool.get());
  rte_mbuf* frames[engine::kBurst];
  rte_mbuf* burst[engine::kBurst];
  const Workload workload;
  Stopwatch watch;
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    for (std::uint32_t round = 0; round < workload.rounds(); ++round) {
      if (rte_pktmbuf_alloc_bulk(pool.get(), frames, engine::kBurst) != 0) {
        throw std::runtime_error("no buffers left");
      }
      for (rte_mbuf* const frame : frames) {
        engine::set_length(frame, 64);
        wire.address(frame, {IpAddress::v4(0x64600000), RingWire::kPort});
      }
      wire.give(frames);
      std::uint16_t forwarded = 0;
      watch.time(engine::kBurst, [&] { forwarded = wire.forward(burst); });
      if (forwarded != engine::kBurst) throw std::runtime_error("frames were lost on the way");
      rte_pktmbuf_free_bulk(burst, wire.take(burst));
    }
    watch.end_batch();
  }
  wire.port().release_buffers();
  return watch.batches();
}

}  // namespace ipop::perf
