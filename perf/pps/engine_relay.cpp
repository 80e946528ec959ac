#include "perf/pps/engine_relay.hpp"

#include <stdexcept>
#include <vector>

#include "engine/lcore_state.hpp"
#include "engine/mempool.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/port/memory_port.hpp"
#include "perf/pps/counting_host_port.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

Endpoint endpoint_of(std::uint32_t i) {
  return {IpAddress::v4(0x64400000 + i), 4545};
}

}  // namespace

struct EngineRelay::Node {
  explicit Node(std::uint32_t pairs)
      : table({.peers = 2 * pairs + 2,
               .sessions = 16,
               .hosts = 16,
               .prefixes = 16,
               .labels = 2 * pairs + 2},
              1, make_aead_engine()) {}

  CountingHostPort host;
  MemoryWirePort wire;
  Mempool pool{PoolSettings{.packets = 4095}};
  Mempool supers{kSuperPool};
  DpdkForwardingTable table;
  PuntRing punts{pool.get()};
  InjectRing orders{pool.get()};
  LcoreState state{{host, wire, {pool.get(), supers.get()}, table.reader(), punts, orders},
                   make_aead_engine()};
  std::vector<RelayLabel> labels;
};

EngineRelay::EngineRelay(const Workload& workload)
    : workload_(workload), node_(std::make_unique<Node>(workload.peers)) {
  for (std::uint32_t pair = 0; pair < workload.peers; ++pair) {
    PeerIndex peers[2];
    for (std::uint32_t end = 0; end < 2; ++end) {
      peers[end] = *node_->table.add_peer();
      node_->table.set_path(peers[end], {endpoint_of(2 * pair + end), 1500});
    }
    node_->labels.push_back(*node_->table.reserve_label());
    node_->table.set_label(node_->labels.back(), {.from = peers[0], .to = peers[1], .label = 7});
  }
}

EngineRelay::~EngineRelay() = default;

void EngineRelay::lay_in() {
  const std::uint32_t each = workload_.supers ? kSegmentSize : workload_.size;
  const std::uint32_t in_one = workload_.supers ? kSegments : 1;
  rte_mempool* const pool = (workload_.supers ? node_->supers : node_->pool).get();
  rte_mbuf* burst[kBurst];
  if (rte_pktmbuf_alloc_bulk(pool, burst, workload_.units()) != 0) {
    throw std::runtime_error("no buffers left");
  }
  for (std::uint32_t i = 0; i < workload_.units(); ++i) {
    const auto pair = static_cast<std::uint32_t>(random_() % workload_.peers);
    std::uint8_t* at = data_of(burst[i]);
    for (std::uint32_t k = 0; k < in_one; ++k, at += each) {
      write_relay_header(at, kMostRelays, static_cast<std::uint32_t>(node_->labels[pair]));
      write_data_header(at + kRelayHeader, 1, k);
    }
    set_length(burst[i], in_one * each);
    if (workload_.supers) burst[i]->tso_segsz = static_cast<std::uint16_t>(each);
    meta(burst[i]).endpoint = endpoint_of(2 * pair);
  }
  node_->wire.in().push({burst, workload_.units()});
}

void EngineRelay::run_batch() {
  rte_mbuf* burst[kBurst];
  for (std::uint32_t round = 0; round < workload_.rounds(); ++round) {
    lay_in();
    relay_.time(workload_.units(), [&] { node_->state.turn(now_); });
    rte_pktmbuf_free_bulk(burst, node_->wire.out().pop(burst));
  }
  rounds_ += workload_.rounds();
  relay_.end_batch();
}

void EngineRelay::must_be_complete() const {
  const auto relayed = static_cast<std::size_t>(Fate::kRelayed);
  if (node_->state.counters().fates[relayed].get() != rounds_ * workload_.packets()) {
    throw std::runtime_error("datagrams were not passed on");
  }
}

}  // namespace ipop::perf
