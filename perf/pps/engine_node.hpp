// One node's engine without threads between a counting host port and a memory wire port, turned by
// hand: what the measurements are made of.
#pragma once

#include "engine/lcore_state.hpp"
#include "engine/mempool.hpp"
#include "engine/port/memory_port.hpp"
#include "perf/pps/counting_host_port.hpp"

namespace ipop::perf {

struct EngineNode {
  explicit EngineNode(const engine::TableSizes& sizes)
      : table(sizes, 1, engine::make_aead_engine()) {}

  [[nodiscard]] std::uint64_t count(engine::Fate fate) const {
    return state.counters().fates[static_cast<std::size_t>(fate)].get();
  }

  CountingHostPort host;
  engine::MemoryWirePort wire;
  engine::Mempool pool{engine::PoolSettings{.packets = 4095}};
  engine::Mempool supers{engine::kSuperPool};
  engine::DpdkForwardingTable table;
  engine::PuntRing punts{pool.get()};
  engine::InjectRing orders{pool.get()};
  engine::LcoreState state{{host, wire, {pool.get(), supers.get()}, table.reader(), punts, orders},
                           engine::make_aead_engine()};
};

}  // namespace ipop::perf
