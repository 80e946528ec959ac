// Alice and Bob, who reach each other only through relays: what the relays pass on, what they
// refuse, and that neither end notices a difference.
#include <gtest/gtest.h>

#include <array>

#include "engine/path/data_header.hpp"
#include "engine/path/relay_header.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

using std::chrono::milliseconds;

const Endpoint kRelayAt = endpoint("203.0.113.1:4545");
const Endpoint kSecondAt = endpoint("203.0.113.2:4545");

// A node that others ask to relay; it knows them by where they are.
struct RelayNode : EngineNode {
  using EngineNode::EngineNode;

  PeerIndex meet(const Endpoint& where) {
    const PeerIndex peer = *table.add_peer();
    table.set_path(peer, {where, 1452});
    return peer;
  }
};

// Alice -- relay -- Bob. Everything between the two goes by labels.
class Relayed : public testing::Test {
 protected:
  Relayed() {
    alice = relay.meet(pair.alice.at);
    bob = relay.meet(pair.bob.at);
    relay_at_alice = *pair.alice.table.add_peer();
    relay_at_bob = *pair.bob.table.add_peer();
    pair.alice.table.set_path(relay_at_alice, {kRelayAt, 1452});
    pair.bob.table.set_path(relay_at_bob, {kRelayAt, 1452});
    to_bob = *relay.table.reserve_label();
    to_alice = *relay.table.reserve_label();
    at_alice = *pair.alice.table.reserve_label();
    at_bob = *pair.bob.table.reserve_label();
    relay.table.set_label(to_bob, {.from = alice, .to = bob, .label = number(at_bob)});
    relay.table.set_label(to_alice, {.from = bob, .to = alice, .label = number(at_alice)});
    pair.alice.table.set_label(at_alice, {.from = relay_at_alice, .label = number(to_bob)});
    pair.bob.table.set_label(at_bob, {.from = relay_at_bob, .label = number(to_alice)});
    pair.alice.table.set_path(pair.bob_at_alice.peer, {by(to_bob), 1444});
    pair.bob.table.set_path(pair.alice_at_bob.peer, {by(to_alice), 1444});
  }

  static std::uint32_t number(RelayLabel label) { return static_cast<std::uint32_t>(label); }
  static Endpoint by(RelayLabel label) {
    return {.address = kRelayAt.address, .port = kRelayAt.port, .label = number(label)};
  }

  // What one end sent, to the relay; and what it passes on, to whom it says.
  void pass(EngineNode& from) {
    for (const Datagram& datagram : from.to_wire()) {
      EXPECT_EQ(datagram.endpoint.relay(), kRelayAt);
      relay.from_wire(datagram.bytes, from.at, datagram.segment_size);
    }
    relay.turn();
    for (const Datagram& datagram : relay.to_wire()) {
      EngineNode& to = datagram.endpoint.relay() == pair.alice.at ? pair.alice : pair.bob;
      EXPECT_EQ(datagram.endpoint.relay(), to.at);
      to.from_wire(datagram.bytes, kRelayAt, datagram.segment_size);
    }
    pair.alice.turn();
    pair.bob.turn();
  }

  // A relay datagram with a data datagram inside that nobody can open.
  static Bytes datagram(std::uint32_t label, std::uint8_t relays = kMostRelays,
                        std::size_t size = 100) {
    Bytes bytes(size);
    write_relay_header(bytes.data(), relays, label);
    write_data_header(&bytes[kRelayHeader], 7, 1);
    return bytes;
  }

  EnginePair pair;
  RelayNode relay{kRelayAt};
  PeerIndex alice, bob, relay_at_alice, relay_at_bob;
  RelayLabel to_bob, to_alice, at_alice, at_bob;
};

TEST_F(Relayed, PacketsArriveAsTheyWere) {
  const Bytes there = ip_packet(pair.alice4, pair.bob4, 700);
  const Bytes back = ip_packet(pair.bob6, pair.alice6, 1200);
  pair.alice.from_host(frame_of(there));
  pair.alice.turn();
  pass(pair.alice);
  pair.bob.from_host(frame_of(back));
  pair.bob.turn();
  pass(pair.bob);
  const auto at_host = pair.bob.to_host();
  ASSERT_EQ(at_host.size(), 1u);
  EXPECT_EQ(Bytes(at_host[0].begin() + 14, at_host[0].end()), there);
  EXPECT_EQ(pair.alice.count(Fate::kDelivered), 1u);
  EXPECT_EQ(relay.count(Fate::kRelayed), 2u);
  const LabelActivity activity = relay.table.label_activity(to_bob);
  EXPECT_EQ(activity.packets, 1u);
  EXPECT_EQ(activity.bytes, there.size() + 32);
  EXPECT_EQ(activity.last, relay.now);
  // The path is the one that is known: nothing to tell.
  EXPECT_TRUE(pair.bob.punts(PuntKind::kPathChanged).empty());
}

TEST_F(Relayed, TrainsStayTrains) {
  PacketSpec spec;
  spec.payload.resize(40'000);
  spec.checksum = Checksum::kPartial;
  const MarkedFrame super = marked_frame(spec, 1300);
  pair.alice.from_host(super);
  pair.alice.turn();
  pass(pair.alice);
  const auto frames = pair.bob.to_host_marked();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].bytes.size(), super.bytes.size());
  EXPECT_EQ(frames[0].marks.segment_size, 1300u);
  EXPECT_EQ(relay.count(Fate::kRelayed), 31u);
}

TEST_F(Relayed, ControlMessagesAndHandshakesComeWithTheLabelToAnswerBy) {
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, Bytes{0x10, 1}));
  Bytes initiation{0x11, 0, 0, 0};
  initiation.resize(200);
  EXPECT_TRUE(pair.alice.orders.send_datagram(by(to_bob), initiation));
  pair.alice.turn();
  pass(pair.alice);
  const auto punts = pair.bob.punts();
  ASSERT_EQ(punts.size(), 3u);
  for (const KeptPunt& each : punts)
    EXPECT_EQ(each.punt.source, by(to_alice));
  EXPECT_EQ(punts.back().bytes, initiation);
}

TEST_F(Relayed, AnotherSourceMayNotUseALabel) {
  for (const Endpoint& stranger : {pair.bob.at, kSecondAt, Endpoint{pair.alice.at.address, 9}})
    relay.from_wire(datagram(number(to_bob)), stranger);
  relay.turn();
  EXPECT_EQ(relay.count(Fate::kDropRelayRefused), 3u);
  // Nor at the end of the way.
  pair.bob.from_wire(datagram(number(at_bob)), pair.alice.at);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropRelayRefused), 1u);
  EXPECT_TRUE(relay.to_wire().empty());
}

TEST_F(Relayed, GuessedAndRetiredLabelsLeadNowhere) {
  for (std::uint32_t guess = 0; guess < 64; ++guess)
    relay.from_wire(datagram(number(to_bob) + 1 + guess * 0x01010101), pair.alice.at);
  relay.from_wire(datagram(0), pair.alice.at);
  relay.table.retire_label(to_bob);
  relay.from_wire(datagram(number(to_bob)), pair.alice.at);
  relay.turn();
  EXPECT_EQ(relay.count(Fate::kDropRelayUnknown) + relay.count(Fate::kDropRelayRefused), 66u);
  EXPECT_TRUE(relay.to_wire().empty());
  // The other direction is a label of its own.
  relay.from_wire(datagram(number(to_alice)), pair.bob.at);
  relay.turn();
  EXPECT_EQ(relay.to_wire().size(), 1u);
}

TEST_F(Relayed, ALoopEnds) {
  relay.table.set_label(to_bob, {.from = alice, .to = alice, .label = number(to_bob)});
  relay.from_wire(datagram(number(to_bob), 3), pair.alice.at);
  for (int i = 0; i < 10; ++i) {
    relay.turn();
    for (const Datagram& each : relay.to_wire())
      relay.from_wire(each.bytes, pair.alice.at);
  }
  EXPECT_EQ(relay.count(Fate::kRelayed), 3u);
  EXPECT_EQ(relay.count(Fate::kDropRelayLoop), 1u);
}

TEST_F(Relayed, OnlyDataAndHandshakesComeThroughARelay) {
  const Bytes inner[] = {{0x84, 1, 2, 3, 4, 5},
                         {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                         datagram(number(at_bob)),
                         {9, 9, 9, 9}};
  for (const Bytes& each : inner) {
    Bytes bytes(kRelayHeader);
    write_relay_header(bytes.data(), 1, number(at_bob));
    bytes.insert(bytes.end(), each.begin(), each.end());
    pair.bob.from_wire(bytes, kRelayAt);
  }
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireMalformed), std::size(inner));
  EXPECT_TRUE(pair.bob.punts().empty());
}

TEST_F(Relayed, LabelsFollowAPeerThatMovesAndEndWithIt) {
  const Endpoint moved = endpoint("198.51.100.77:1234");
  relay.table.set_path(alice, {moved, 1452});
  relay.from_wire(datagram(number(to_bob)), pair.alice.at);
  relay.turn();
  EXPECT_EQ(relay.count(Fate::kDropRelayRefused), 1u);
  relay.from_wire(datagram(number(to_bob)), moved);
  relay.from_wire(datagram(number(to_alice)), pair.bob.at);
  relay.turn();
  const auto out = relay.to_wire();
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].endpoint.relay(), moved);
  EXPECT_EQ(relay.table.label_activity(to_bob).packets, 1u);  // those that were passed on
  // Who is behind a relay itself is nobody to relay for.
  relay.table.set_path(alice,
                       {{.address = kSecondAt.address, .port = kSecondAt.port, .label = 5}, 1444});
  relay.from_wire(datagram(number(to_bob)), kSecondAt);
  relay.from_wire(datagram(number(to_alice)), pair.bob.at);
  relay.turn();
  EXPECT_EQ(relay.count(Fate::kDropRelayRefused), 2u);
  EXPECT_EQ(relay.count(Fate::kDropNoPath), 1u);
  relay.table.remove_peer(alice);
  relay.from_wire(datagram(number(to_alice)), pair.bob.at);
  relay.turn();
  EXPECT_EQ(relay.count(Fate::kDropRelayUnknown), 1u);
  EXPECT_EQ(relay.table.label_activity(to_alice).packets, 0u);
}

TEST_F(Relayed, MoreThanTheLimitIsDropped) {
  relay.table.set_relay_limit(8'000'000);  // a megabyte a second
  relay.now += milliseconds(200);
  std::uint64_t passed = 0;
  const auto flood = [&] {
    for (int i = 0; i < 300; ++i)
      relay.from_wire(datagram(number(to_bob), kMostRelays, 1000), pair.alice.at);
    relay.turn();
    for (const Datagram& each : relay.to_wire())
      passed += each.bytes.size();
  };
  flood();
  EXPECT_LE(passed, RelayBudget::kLeastBurst);
  EXPECT_GT(passed, RelayBudget::kLeastBurst - 1000);
  passed = 0;
  for (int i = 0; i < 10; ++i) {
    relay.now += milliseconds(100);
    flood();
  }
  EXPECT_NEAR(static_cast<double>(passed), 1e6, 1e4);
  EXPECT_GT(relay.count(Fate::kDropRelayLimited), 0u);
  relay.table.set_relay_limit(0);
  passed = 0;
  flood();
  EXPECT_EQ(passed, 300'000u);
}

// What shares a train with something else goes on too, and what is ours stays.
TEST_F(Relayed, AMixedTrainIsTakenApart) {
  const PeerIndex carol = relay.meet(endpoint("192.0.2.3:4545"));
  const RelayLabel to_carol = *relay.table.reserve_label();
  relay.table.set_label(to_carol, {.from = alice, .to = carol, .label = 99});
  Bytes train;
  const auto add = [&](const Bytes& bytes) {
    train.insert(train.end(), bytes.begin(), bytes.end());
  };
  Bytes dht(100);
  dht[0] = 0x84;
  for (const std::uint32_t label : {number(to_bob), number(to_bob), number(to_carol)})
    add(datagram(label));
  add(dht);
  add(datagram(number(to_carol)));
  add(datagram(12345));
  add(datagram(number(to_bob), kMostRelays, 60));
  relay.from_wire(train, pair.alice.at, 100);
  relay.turn();
  const auto out = relay.to_wire();
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(out[0].endpoint.relay(), pair.bob.at);
  EXPECT_EQ(out[0].bytes.size(), 200u);
  EXPECT_EQ(out[0].segment_size, 100u);
  EXPECT_EQ(out[1].endpoint.relay(), endpoint("192.0.2.3:4545"));
  EXPECT_EQ(out[1].bytes, datagram(99, kMostRelays - 1));
  EXPECT_EQ(out[2].bytes, out[1].bytes);
  EXPECT_EQ(out[3].bytes, datagram(number(at_bob), kMostRelays - 1, 60));
  EXPECT_EQ(relay.count(Fate::kRelayed), 5u);
  EXPECT_EQ(relay.count(Fate::kPunted), 1u);
  EXPECT_EQ(relay.count(Fate::kDropRelayUnknown), 1u);
}

// Alice -- relay -- second -- Bob: each relay knows only its neighbours.
TEST_F(Relayed, ChainsAreMadeOfLabels) {
  RelayNode second(kSecondAt);
  const PeerIndex relay_at_second = second.meet(kRelayAt);
  const PeerIndex bob_at_second = second.meet(pair.bob.at);
  const PeerIndex second_at_relay = relay.meet(kSecondAt);
  pair.bob.table.set_path(relay_at_bob, {kSecondAt, 1452});
  const RelayLabel on = *second.table.reserve_label();
  second.table.set_label(on,
                         {.from = relay_at_second, .to = bob_at_second, .label = number(at_bob)});
  relay.table.set_label(to_bob, {.from = alice, .to = second_at_relay, .label = number(on)});
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.alice.turn();
  for (const Datagram& each : pair.alice.to_wire())
    relay.from_wire(each.bytes, pair.alice.at);
  relay.turn();
  for (const Datagram& each : relay.to_wire()) {
    EXPECT_EQ(each.endpoint.relay(), kSecondAt);
    second.from_wire(each.bytes, kRelayAt);
  }
  second.turn();
  for (const Datagram& each : second.to_wire())
    pair.bob.from_wire(each.bytes, kSecondAt);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 1u);
}

}  // namespace
}  // namespace ipop::engine
