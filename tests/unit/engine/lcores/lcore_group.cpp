#include "tests/unit/engine/lcores/lcore_group.hpp"

#include <numeric>
#include <utility>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

constexpr TableSizes kSizes{.peers = 64, .sessions = 128, .hosts = 64, .prefixes = 64};

void push(PacketQueue& queue, rte_mempool* pool, const Bytes& bytes, const Endpoint& endpoint) {
  rte_mbuf* const packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) throw std::runtime_error("no buffer left");
  std::copy(bytes.begin(), bytes.end(), data_of(packet));
  set_length(packet, static_cast<std::uint32_t>(bytes.size()));
  meta(packet).endpoint = endpoint;
  if (queue.push({&packet, 1}) != 1) throw std::runtime_error("the port's queue is full");
}

template <typename Take>
void take_all(PacketQueue& queue, Take take) {
  rte_mbuf* packet = nullptr;
  while (queue.pop({&packet, 1}) == 1) {
    const MutableBytes bytes = bytes_of(packet);
    take(Bytes(bytes.begin(), bytes.end()), meta(packet).endpoint);
    rte_pktmbuf_free(packet);
  }
}

template <typename Part>
auto each(const auto& lcores, Part part) {
  std::vector<decltype(part(*lcores.front()))> parts;
  for (const auto& lcore : lcores)
    parts.push_back(part(*lcore));
  return parts;
}

}  // namespace

std::vector<std::unique_ptr<LcoreGroup::Own>> LcoreGroup::make(unsigned count) const {
  std::vector<std::unique_ptr<Own>> lcores;
  for (unsigned i = 0; i < count; ++i)
    lcores.push_back(std::make_unique<Own>(pool.get()));
  return lcores;
}

LcoreGroup::LcoreGroup(const Endpoint& where, unsigned count)
    : at(where),
      pool({.packets = 4095}),
      supers({.packets = 127, .largest_packet = kSuperPool.largest_packet}),
      lcores_(make(count)),
      table(kSizes, count, make_aead_engine()),
      punts(each(lcores_, [](Own& own) { return &own.punts; })),
      injector(each(lcores_, [](Own& own) { return &own.orders; }), table.reader().sessions),
      handover_(each(lcores_, [](Own& own) { return &own.bell; })) {
  for (unsigned i = 0; i < count; ++i) {
    Own& own = *lcores_[i];
    own.state = std::make_unique<LcoreState>(LcoreState::Parts{.host = own.host,
                                                               .wire = own.wire,
                                                               .pools = {pool.get(), supers.get()},
                                                               .table = table.reader(),
                                                               .punts = own.punts,
                                                               .orders = own.orders,
                                                               .share = {i, count},
                                                               .handover = {handover_, i}},
                                             make_aead_engine());
  }
}

LcoreGroup::~LcoreGroup() {
  for (const auto& own : lcores_)
    own->state->finish(now);
  for (const auto& own : lcores_)
    own->state->drop_handed_over();
  const EngineCounters all = counters();
  const std::uint64_t ended = std::accumulate(all.fates.begin(), all.fates.end(), std::uint64_t{0});
  EXPECT_EQ(all.host_rx + all.wire_rx + all.injected + all.generated, ended + all.staged);
  for (unsigned i = 0; i < size(); ++i)
    (void)to_host(i);
  (void)to_wire();
  punts.drain(1 << 20, [](const Punt&) {});
  for (const auto& own : lcores_)
    own->state.reset();
  EXPECT_EQ(pool.available(), pool.size()) << "buffers leaked";
}

void LcoreGroup::from_host(unsigned lcore, const Bytes& frame) {
  push(lcores_[lcore]->host.in(), pool.get(), frame, {});
}

void LcoreGroup::from_wire(unsigned lcore, const Bytes& bytes, const Endpoint& source) {
  push(lcores_[lcore]->wire.in(), pool.get(), bytes, source);
}

void LcoreGroup::turn(unsigned lcore) {
  while (lcores_[lcore]->state->turn(now) != 0) {
  }
}

void LcoreGroup::turn_all() {
  std::uint32_t taken = 1;
  while (taken != 0) {
    taken = 0;
    for (const auto& own : lcores_)
      taken += own->state->turn(now);
  }
}

std::vector<Bytes> LcoreGroup::to_host(unsigned lcore) {
  std::vector<Bytes> frames;
  take_all(lcores_[lcore]->host.out(),
           [&](Bytes bytes, const Endpoint&) { frames.push_back(std::move(bytes)); });
  return frames;
}

std::vector<GroupDatagram> LcoreGroup::to_wire() {
  std::vector<GroupDatagram> datagrams;
  for (unsigned i = 0; i < size(); ++i) {
    take_all(lcores_[i]->wire.out(), [&](Bytes bytes, const Endpoint& to) {
      datagrams.push_back({i, to, std::move(bytes)});
    });
  }
  return datagrams;
}

EngineCounters LcoreGroup::counters() const {
  EngineCounters sum;
  for (const auto& own : lcores_)
    own->state->counters().add_to(sum);
  sum.injected = injector.accepted();
  return sum;
}

GroupPair::GroupPair(unsigned alices, unsigned bobs, std::uint8_t lanes, bool with_session)
    : alice(endpoint("192.0.2.1:4545"), alices), bob(endpoint("192.0.2.2:4545"), bobs) {
  bob_at_alice = *alice.table.add_peer();
  alice_at_bob = *bob.table.add_peer();
  EXPECT_TRUE(alice.table.add_route(prefix("10.0.0.2"), bob_at_alice));
  EXPECT_TRUE(bob.table.add_route(prefix("10.0.0.1"), alice_at_bob));
  alice.table.set_path(bob_at_alice, {bob.at, 1452});
  bob.table.set_path(alice_at_bob, {alice.at, 1452});
  if (with_session) renew(lanes);
}

void GroupPair::renew(std::uint8_t lanes) {
  const auto there = Secret<32>::random();
  const auto back = Secret<32>::random();
  alices_session = *alice.table.reserve_session();
  bobs_session = *bob.table.reserve_session();
  SessionSpec spec{.peer = bob_at_alice,
                   .local = alices_session,
                   .remote = std::to_underlying(bobs_session),
                   .suite = AeadSuite::kAes256Gcm,
                   .send_lanes = lanes,
                   .receive_lanes = lanes,
                   .send_key = there,
                   .receive_key = back,
                   .send_until = alice.now + std::chrono::hours(1),
                   .receive_until = alice.now + std::chrono::hours(1)};
  alice.table.publish_session(spec);
  alice.table.use_session(bob_at_alice, alices_session);
  spec.peer = alice_at_bob;
  spec.local = bobs_session;
  spec.remote = std::to_underlying(alices_session);
  std::swap(spec.send_key, spec.receive_key);
  bob.table.publish_session(spec);
  bob.table.use_session(alice_at_bob, bobs_session);
}

Bytes GroupPair::frame(std::uint16_t flow, std::uint8_t mark) {
  Bytes packet = ip_packet(ip("10.0.0.1"), ip("10.0.0.2"), 40);
  store_be(&packet[20], flow);
  store_be<std::uint16_t>(&packet[22], 5000);
  store_be<std::uint16_t>(&packet[24], 40);
  packet[28] = mark;
  return frame_of(packet);
}

}  // namespace ipop::engine
