#include "perf/pps/engine_between.hpp"

#include <cstring>
#include <random>
#include <stdexcept>

#include "engine/lcore_state.hpp"
#include "engine/mempool.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/memory_port.hpp"

namespace ipop::perf {
namespace {

using namespace ipop::engine;

constexpr TableSizes kSizes{.peers = 2048, .sessions = 4096, .hosts = 4096, .prefixes = 16};

struct Node {
  MemoryHostPort host;
  MemoryWirePort wire;
  Mempool pool{PoolSettings{.packets = 4095}};
  DpdkForwardingTable table{kSizes, 1, make_aead_engine()};
  PuntRing punts{pool.get()};
  InjectRing orders{pool.get()};
  LcoreState state{{host, wire, pool.get(), table.reader(), punts, orders}, make_aead_engine()};
};

// Peer i of the sender is 10.1.0.0 + i; the sender itself has a face 10.2.0.0 + i for each, so that
// the receiver sees as many peers.
IpAddress far_address(std::uint32_t i) {
  return IpAddress::v4(0x0a010000 + i);
}
IpAddress near_address(std::uint32_t i) {
  return IpAddress::v4(0x0a020000 + i);
}
Endpoint far_endpoint(std::uint32_t i) {
  return {IpAddress::v4(0xc6120000 + i), 4545};
}
Endpoint near_endpoint(std::uint32_t i) {
  return {IpAddress::v4(0xc6130000 + i), 4545};
}

void join(Node& sender, Node& receiver, AeadSuite suite, std::uint32_t i, Instant now) {
  const auto key = Secret<32>::random();
  Node* const nodes[] = {&sender, &receiver};
  PeerIndex peers[2];
  ReceiverIndex locals[2];
  for (int n = 0; n < 2; ++n) {
    peers[n] = *nodes[n]->table.add_peer();
    locals[n] = *nodes[n]->table.reserve_session();
  }
  for (int n = 0; n < 2; ++n) {
    DpdkForwardingTable& table = nodes[n]->table;
    table.publish_session({.peer = peers[n],
                           .local = locals[n],
                           .remote = static_cast<std::uint32_t>(locals[1 - n]),
                           .suite = suite,
                           .send_key = key,
                           .receive_key = key,
                           .send_until = now + std::chrono::hours(1),
                           .receive_until = now + std::chrono::hours(1)});
    table.use_session(peers[n], locals[n]);
    table.set_path(peers[n], {n == 0 ? far_endpoint(i) : near_endpoint(i), 1500});
    const auto added =
        table.add_route(Prefix::host(n == 0 ? far_address(i) : near_address(i)), peers[n]);
    if (!added) throw std::runtime_error(added.error().message);
  }
}

void write_frame(rte_mbuf* frame, std::uint32_t peer, std::uint32_t size) {
  std::uint8_t* const at = data_of(frame);
  static constexpr std::uint8_t kStart[] = {2, 0, 0, 0, 0,    2,    2,    0,
                                            0, 0, 0, 1, 0x08, 0x00, 0x45, 0};
  std::memcpy(at, kStart, sizeof kStart);
  std::memset(at + sizeof kStart, 0, size + 14 - sizeof kStart);
  store_be(at + 16, static_cast<std::uint16_t>(size));
  at[22] = 64;
  at[23] = 17;
  store_be(at + 26, near_address(peer).v4());
  store_be(at + 30, far_address(peer).v4());
  set_length(frame, size + 14);
}

std::uint64_t count(const Node& node, Fate fate) {
  return node.state.counters().fates[static_cast<std::size_t>(fate)].get();
}

}  // namespace

Figures measure_engine(const Workload& workload) {
  const auto sender = std::make_unique<Node>();
  const auto receiver = std::make_unique<Node>();
  const Instant now{std::chrono::hours(1)};
  for (std::uint32_t i = 0; i < workload.peers; ++i) {
    join(*sender, *receiver, workload.suite, i, now);
  }
  std::mt19937 random(1);
  Stopwatch encap;
  Stopwatch decap;
  rte_mbuf* burst[kBurst];
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      std::uint32_t order[kBurst];
      if (rte_pktmbuf_alloc_bulk(sender->pool.get(), burst, kBurst) != 0) {
        throw std::runtime_error("no buffers left");
      }
      for (std::uint32_t i = 0; i < kBurst; ++i) {
        order[i] = static_cast<std::uint32_t>(random() % workload.peers);
        write_frame(burst[i], order[i], workload.size);
      }
      sender->host.in().push(burst);
      encap.time(kBurst, [&] { sender->state.turn(now); });
      const std::uint16_t sealed = sender->wire.out().pop(burst);
      for (std::uint16_t i = 0; i < sealed; ++i)
        meta(burst[i]).endpoint = near_endpoint(order[i]);
      receiver->wire.in().push({burst, sealed});
      decap.time(kBurst, [&] { receiver->state.turn(now); });
      const std::uint16_t delivered = receiver->host.out().pop(burst);
      rte_pktmbuf_free_bulk(burst, delivered);
      receiver->punts.drain(kBurst, [](const Punt&) {});
    }
    encap.end_batch();
    decap.end_batch();
  }
  if (count(*sender, Fate::kSent) != kBatches * kRounds * kBurst ||
      count(*receiver, Fate::kDelivered) != kBatches * kRounds * kBurst) {
    throw std::runtime_error("packets were lost on the way");
  }
  return {.out = encap.best(), .in = decap.best()};
}

}  // namespace ipop::perf
