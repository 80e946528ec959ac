#include "perf/pps/engine_relay.hpp"

#include <stdexcept>

#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "perf/pps/engine_node.hpp"
#include "perf/pps/memif_wire.hpp"
#include "perf/pps/memory_wire.hpp"
#include "perf/pps/ring_wire.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

Endpoint endpoint_of(std::uint32_t i) {
  return {IpAddress::v4(0x64400000 + i), 4545};
}

TableSizes sizes_for(const Workload& workload) {
  const std::uint32_t ends = 2 * workload.peers + 2;
  return {.peers = ends, .sessions = 16, .hosts = 16, .prefixes = 16, .labels = ends};
}

}  // namespace

template <typename Wire>
EngineRelay<Wire>::EngineRelay(const Workload& workload)
    : workload_(workload), node_(std::make_unique<EngineNode<Wire>>(sizes_for(workload))) {
  for (std::uint32_t pair = 0; pair < workload.peers; ++pair) {
    PeerIndex peers[2];
    for (std::uint32_t end = 0; end < 2; ++end) {
      peers[end] = *node_->table.add_peer();
      node_->table.set_path(peers[end], {endpoint_of(2 * pair + end), 1500});
    }
    labels_.push_back(*node_->table.reserve_label());
    node_->table.set_label(labels_.back(), {.from = peers[0], .to = peers[1], .label = 7});
  }
}

template <typename Wire>
EngineRelay<Wire>::~EngineRelay() = default;

template <typename Wire>
void EngineRelay<Wire>::lay_in() {
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
      write_relay_header(at, kMostRelays, static_cast<std::uint32_t>(labels_[pair]));
      write_data_header(at + kRelayHeader, 1, k);
    }
    set_length(burst[i], in_one * each);
    if (workload_.supers) burst[i]->tso_segsz = static_cast<std::uint16_t>(each);
    node_->wire.address(burst[i], endpoint_of(2 * pair));
  }
  node_->wire.give({burst, workload_.units()});
}

template <typename Wire>
void EngineRelay<Wire>::run_batch() {
  rte_mbuf* burst[kBurst];
  for (std::uint32_t round = 0; round < workload_.rounds(); ++round) {
    lay_in();
    relay_.time(workload_.units(), [&] { node_->state.turn(now_); });
    rte_pktmbuf_free_bulk(burst, node_->wire.take(burst));
  }
  rounds_ += workload_.rounds();
  relay_.end_batch();
}

template <typename Wire>
void EngineRelay<Wire>::must_be_complete() const {
  if (node_->count(Fate::kRelayed) != rounds_ * workload_.packets()) {
    throw std::runtime_error("datagrams were not passed on");
  }
}

template class EngineRelay<MemoryWire>;
template class EngineRelay<RingWire>;
template class EngineRelay<MemifWire>;

}  // namespace ipop::perf
