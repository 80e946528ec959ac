#include "tests/unit/engine/engine_node.hpp"

#include <numeric>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

rte_mbuf* to_packet(rte_mempool* pool, const Bytes& bytes) {
  rte_mbuf* const packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) throw std::runtime_error("no buffer left");
  if (bytes.size() > rte_pktmbuf_tailroom(packet)) throw std::runtime_error("too long a packet");
  std::copy(bytes.begin(), bytes.end(), data_of(packet));
  set_length(packet, static_cast<std::uint32_t>(bytes.size()));
  return packet;
}

void push(PacketQueue& queue, rte_mbuf* packet) {
  if (queue.push({&packet, 1}) != 1) throw std::runtime_error("the port's queue is full");
}

template <typename Take>
void take_all(PacketQueue& queue, Take take) {
  rte_mbuf* packet = nullptr;
  while (queue.pop({&packet, 1}) == 1) {
    take(packet);
    rte_pktmbuf_free(packet);
  }
}

Bytes copy_of(rte_mbuf* packet) {
  Bytes bytes;
  for (rte_mbuf* part = packet; part != nullptr; part = part->next) {
    const MutableBytes piece = bytes_of(part);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  return bytes;
}

FrameMarks marks_of(const rte_mbuf* packet) {
  const std::uint64_t checksum = packet->ol_flags & RTE_MBUF_F_TX_L4_MASK;
  if (checksum == 0) return {};
  const bool is_tcp = checksum == RTE_MBUF_F_TX_TCP_CKSUM;
  const std::uint64_t expected = packet->tso_segsz == 0 ? 0
                                 : is_tcp               ? RTE_MBUF_F_TX_TCP_SEG
                                                        : RTE_MBUF_F_TX_UDP_SEG;
  EXPECT_EQ(packet->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG), expected);
  return {.partial_checksum = true,
          .transport_start = packet->l3_len,
          .is_tcp = is_tcp,
          .segment_size = packet->tso_segsz};
}

}  // namespace

MarkedFrame marked_frame(const PacketSpec& spec, std::size_t segment_size) {
  return {frame_of(build(spec)),
          {.partial_checksum = true,
           .transport_start = spec.transport_start(),
           .is_tcp = spec.is_tcp,
           .segment_size = segment_size}};
}

EngineNode::EngineNode(const Endpoint& where, const TableSizes& sizes)
    : at(where),
      pool(SmallSizes::kPool),
      supers(SmallSizes::kSupers),
      table(sizes, 1, make_aead_engine()),
      punt_ring(pool.get()),
      orders(pool.get(), bell) {
  state_.emplace(
      LcoreState::Parts{host, wire, {pool.get(), supers.get()}, table.reader(), punt_ring, orders},
      make_aead_engine());
}

EngineNode::~EngineNode() {
  state_->finish(now);
  expect_balance();
  (void)to_host();
  (void)to_wire();
  (void)punts();
  state_.reset();
  EXPECT_EQ(pool.available(), pool.size()) << "buffers leaked";
  EXPECT_EQ(supers.available(), supers.size()) << "large buffers leaked";
}

void EngineNode::from_host(const Bytes& frame) {
  push(host.in(), to_packet(pool.get(), frame));
}

void EngineNode::from_host(const MarkedFrame& frame) {
  const FrameMarks& marks = frame.marks;
  rte_mbuf* const packet =
      to_packet(marks.segment_size == 0 ? pool.get() : supers.get(), frame.bytes);
  if (marks.partial_checksum) {
    packet->l2_len = 14;
    packet->l3_len = marks.transport_start & 0x1ff;
    packet->ol_flags = marks.is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
  }
  if (marks.segment_size != 0) {
    const std::size_t header = 14 + marks.transport_start;
    packet->l4_len = (marks.is_tcp ? frame.bytes.at(header + 12) / 16u * 4 : 8) & 0xff;
    packet->tso_segsz = static_cast<std::uint16_t>(marks.segment_size);
    packet->ol_flags |= marks.is_tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
  }
  push(host.in(), packet);
}

void EngineNode::from_wire(const Bytes& bytes, const Endpoint& source, std::uint16_t segment_size) {
  rte_mbuf* const packet = to_packet(segment_size == 0 ? pool.get() : supers.get(), bytes);
  meta(packet).endpoint = source;
  packet->tso_segsz = segment_size;
  push(wire.in(), packet);
}

void EngineNode::turn() {
  while (state_->turn(now) != 0) {
  }
}

std::vector<Bytes> EngineNode::to_host() {
  std::vector<Bytes> frames;
  take_all(host.out(), [&](rte_mbuf* packet) { frames.push_back(copy_of(packet)); });
  return frames;
}

std::vector<MarkedFrame> EngineNode::to_host_marked() {
  std::vector<MarkedFrame> frames;
  take_all(host.out(), [&](rte_mbuf* packet) {
    frames.push_back({copy_of(packet), marks_of(packet)});
  });
  return frames;
}

std::vector<Datagram> EngineNode::to_wire() {
  std::vector<Datagram> datagrams;
  take_all(wire.out(), [&](rte_mbuf* packet) {
    datagrams.push_back(
        {meta(packet).endpoint, copy_of(packet), static_cast<std::uint16_t>(packet->tso_segsz)});
  });
  return datagrams;
}

std::vector<KeptPunt> EngineNode::punts() {
  std::vector<KeptPunt> kept;
  punt_ring.drain(1 << 20, [&](const Punt& punt) {
    kept.push_back({punt, Bytes(punt.bytes.begin(), punt.bytes.end())});
  });
  return kept;
}

std::vector<KeptPunt> EngineNode::punts(PuntKind kind) {
  std::vector<KeptPunt> kept = punts();
  std::erase_if(kept, [&](const KeptPunt& each) { return each.punt.kind != kind; });
  return kept;
}

EngineCounters EngineNode::counters() const {
  EngineCounters sum;
  state_->counters().add_to(sum);
  sum.injected = orders.accepted();
  return sum;
}

void EngineNode::expect_balance() const {
  const EngineCounters all = counters();
  const std::uint64_t ended = std::accumulate(all.fates.begin(), all.fates.end(), std::uint64_t{0});
  EXPECT_EQ(all.host_rx + all.wire_rx + all.injected + all.generated, ended + all.staged);
}

void carry(EngineNode& from, EngineNode& to) {
  for (const Datagram& datagram : from.to_wire()) {
    EXPECT_EQ(datagram.endpoint, to.at);
    to.from_wire(datagram.bytes, from.at, datagram.segment_size);
  }
}

EnginePair::EnginePair(const Pairing& pairing) {
  bob_at_alice.peer = *alice.table.add_peer();
  alice_at_bob.peer = *bob.table.add_peer();
  renew(pairing);
  for (const IpAddress& address : {bob4, bob6}) {
    EXPECT_TRUE(alice.table.add_route(Prefix::host(address), bob_at_alice.peer));
  }
  for (const IpAddress& address : {alice4, alice6}) {
    EXPECT_TRUE(bob.table.add_route(Prefix::host(address), alice_at_bob.peer));
  }
}

void EnginePair::renew(const Pairing& pairing, Duration lifetime) {
  const auto there = Secret<32>::random();
  const auto back = Secret<32>::random();
  bob_at_alice.session = *alice.table.reserve_session();
  alice_at_bob.session = *bob.table.reserve_session();
  SessionSpec spec{.peer = bob_at_alice.peer,
                   .local = bob_at_alice.session,
                   .remote = static_cast<std::uint32_t>(alice_at_bob.session),
                   .form = pairing.form,
                   .suite = pairing.suite,
                   .partial_checksums = pairing.partial_checksums,
                   .send_key = there,
                   .receive_key = back,
                   .send_until = alice.now + lifetime,
                   .receive_until = alice.now + lifetime};
  alice.table.publish_session(spec);
  alice.table.use_session(bob_at_alice.peer, bob_at_alice.session);
  alice.table.set_path(bob_at_alice.peer, {bob.at, pairing.mtu});
  spec.peer = alice_at_bob.peer;
  spec.local = alice_at_bob.session;
  spec.remote = static_cast<std::uint32_t>(bob_at_alice.session);
  std::swap(spec.send_key, spec.receive_key);
  bob.table.publish_session(spec);
  bob.table.use_session(alice_at_bob.peer, alice_at_bob.session);
  bob.table.set_path(alice_at_bob.peer, {alice.at, pairing.mtu});
}

void EnginePair::exchange() {
  for (int i = 0; i < 2; ++i) {
    alice.turn();
    carry(alice, bob);
    bob.turn();
    carry(bob, alice);
  }
}

void EnginePair::advance(Duration by) {
  alice.now += by;
  bob.now += by;
}

}  // namespace ipop::engine
