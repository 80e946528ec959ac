// The whole packet path: bytes come in as a datagram of the wire, as the plaintext of an
// authenticated peer, and as a frame of the host. Each must end in exactly one fate.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "engine/engine.hpp"
#include "engine/lcore_state.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/port/memory_port.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;

const Endpoint kItself{IpAddress::v4(0xc0000201), 4545};

struct Node {
  Node() {
    peer = *table.add_peer();
    session = *table.reserve_session();
    const auto key = Secret<32>::random();
    // It talks to itself: what it seals, it can open.
    table.publish_session({.peer = peer,
                           .local = session,
                           .remote = static_cast<std::uint32_t>(session),
                           .send_key = key,
                           .receive_key = key,
                           .send_until = Instant::max(),
                           .receive_until = Instant::max()});
    table.use_session(peer, session);
    // It relays to itself, and takes what is relayed to it.
    table.set_path(peer, {kItself, 1420});
    on = *table.reserve_label();
    ends = *table.reserve_label();
    table.set_label(on, {.from = peer, .to = peer, .label = static_cast<std::uint32_t>(ends)});
    table.set_label(ends, {.from = peer, .label = static_cast<std::uint32_t>(on)});
    for (const char* prefix : {"10.0.0.0/8", "fd00::/8"}) {
      if (!table.add_route(*Prefix::parse(prefix), peer)) std::abort();
    }
  }

  void give(PacketQueue& queue, ByteView bytes) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pool.get());
    if (packet == nullptr) std::abort();  // a buffer leaked
    const std::size_t size = std::min<std::size_t>(bytes.size(), rte_pktmbuf_tailroom(packet));
    std::copy_n(bytes.begin(), size, data_of(packet));
    set_length(packet, static_cast<std::uint32_t>(size));
    meta(packet).endpoint = kItself;
    queue.push({&packet, 1});
  }
  void turn() {
    now += std::chrono::seconds(1);
    while (state.turn(now) != 0) {
    }
    state.tick(now);
    punts.drain(1 << 20, [](const Punt&) {});
    rte_mbuf* packet = nullptr;
    while (host.out().pop({&packet, 1}) == 1)
      rte_pktmbuf_free(packet);
    while (wire.out().pop({&packet, 1}) == 1) {
      meta(packet).endpoint = kItself;
      wire.in().push({&packet, 1});
    }
  }
  [[nodiscard]] bool balanced() const {
    EngineCounters all;
    state.counters().add_to(all);
    return all.host_rx + all.wire_rx + orders.accepted() + all.generated ==
           std::accumulate(all.fates.begin(), all.fates.end(), all.staged);
  }

  MemoryHostPort host;
  MemoryWirePort wire;
  Mempool pool{PoolSettings{.packets = 2047}};
  DpdkForwardingTable table{
      {.peers = 4, .sessions = 4, .hosts = 16, .prefixes = 16}, 1, make_aead_engine()};
  PuntRing punts{pool.get()};
  Bell bell;
  InjectRing orders{pool.get(), bell};
  LcoreState state{{host, wire, pool.get(), table.reader(), punts, orders}, make_aead_engine()};
  Instant now{std::chrono::hours(1)};
  PeerIndex peer = kNoPeer;
  ReceiverIndex session = kNoReceiver;
  RelayLabel on = kNoLabel;
  RelayLabel ends = kNoLabel;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool started = [] {
    start_eal_for({});
    return true;
  }();
  static Node node;
  if (!started) return 0;
  const ByteView bytes(data, size);
  node.give(node.wire.in(), bytes);
  // The same through a relay: to be passed on first, or ours at once.
  std::vector<std::uint8_t> relayed(kRelayHeader);
  const RelayLabel label = size != 0 && data[0] % 2 == 0 ? node.on : node.ends;
  write_relay_header(relayed.data(), 3, static_cast<std::uint32_t>(label));
  relayed.insert(relayed.end(), bytes.begin(), bytes.end());
  node.give(node.wire.in(), relayed);
  node.give(node.host.in(), bytes);
  node.orders.send_sealed(node.session, bytes.first(std::min<std::size_t>(size, 1400)));
  for (int i = 0; i < 2; ++i)
    node.turn();
  if (!node.balanced()) std::abort();
  return 0;
}
