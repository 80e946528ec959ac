// One node's engine without threads between a counting host port and a wire, turned by hand: what
// the measurements are made of.
#pragma once

#include "engine/lcore_state.hpp"
#include "engine/mempool.hpp"
#include "perf/pps/counting_host_port.hpp"

namespace ipop::perf {

// Wire: MemoryWire, RingWire or MemifWire.
template <typename Wire>
struct EngineNode {
  explicit EngineNode(const engine::TableSizes& sizes)
      : table(sizes, 1, engine::make_aead_engine()) {
    wire.attach(pool.get());
  }
  // What the wire holds goes back before the pools do.
  ~EngineNode() { wire.port().release_buffers(); }

  [[nodiscard]] std::uint64_t count(engine::Fate fate) const {
    return state.counters().fates[static_cast<std::size_t>(fate)].get();
  }

  CountingHostPort host;
  engine::Mempool pool{engine::PoolSettings{.packets = 4095}};
  engine::Mempool supers{engine::kSuperPool};
  Wire wire;
  engine::DpdkForwardingTable table;
  engine::PuntRing punts{pool.get()};
  engine::Bell bell;
  engine::InjectRing orders{pool.get(), bell};
  engine::LcoreState state{
      {host, wire.port(), {pool.get(), supers.get()}, table.reader(), punts, orders},
      engine::make_aead_engine()};
};

}  // namespace ipop::perf
