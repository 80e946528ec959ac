// Datagrams of the wire: what goes up, what is told, and what is dropped for which reason.
#include <gtest/gtest.h>

#include <random>

#include "engine/path/data_header.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

using std::chrono::milliseconds;

const Endpoint kSomewhere = endpoint("203.0.113.5:9999");

Bytes starts_with(std::initializer_list<std::uint8_t> first, std::size_t size) {
  Bytes bytes(first);
  bytes.resize(size);
  return bytes;
}

TEST(WireDatagrams, GoUpToTheOverlayWithTheirSource) {
  EnginePair pair;
  const Bytes dht = starts_with({0x84, 1, 2, 3}, 300);
  const Bytes handshake = starts_with({0x11, 0, 0, 0}, 250);
  pair.bob.from_wire(dht, kSomewhere);
  pair.bob.from_wire(handshake, pair.alice.at);
  pair.bob.turn();
  const auto punts = pair.bob.punts();
  ASSERT_EQ(punts.size(), 2u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kDatagram);
  EXPECT_EQ(punts[0].punt.source, kSomewhere);
  EXPECT_EQ(punts[0].bytes, dht);
  EXPECT_EQ(punts[1].punt.source, pair.alice.at);
  EXPECT_EQ(punts[1].bytes, handshake);
  EXPECT_EQ(pair.bob.count(Fate::kPunted), 2u);
}

TEST(WireDatagrams, AreDroppedForNamedReasons) {
  EnginePair pair;
  const auto session = static_cast<std::uint32_t>(pair.alice_at_bob.session);
  Bytes forged = starts_with({4, 0, 0, 0}, 64);
  store_le(&forged[4], session);
  Bytes stale = forged;
  store_le(&stale[4], session + (1u << 31));
  pair.bob.from_wire({}, kSomewhere);
  pair.bob.from_wire(starts_with({5, 0, 0, 0}, 80), kSomewhere);
  pair.bob.from_wire(forged, kSomewhere);
  pair.bob.from_wire(stale, kSomewhere);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireMalformed), 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDropRelayUnknown), 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDropWireForged), 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDropWireUnknownSession), 1u);
  EXPECT_TRUE(pair.bob.punts().empty());
}

TEST(WireDatagrams, ForAReservedSessionAreUnknownUntilItIsPublished) {
  EngineNode node(endpoint("192.0.2.9:4545"));
  Bytes datagram = starts_with({4, 0, 0, 0}, 64);
  store_le(&datagram[4], static_cast<std::uint32_t>(*node.table.reserve_session()));
  node.from_wire(datagram, kSomewhere);
  node.turn();
  EXPECT_EQ(node.count(Fate::kDropWireUnknownSession), 1u);
}

TEST(WireDatagrams, DropWhatTheOverlayDoesNotTakeInTime) {
  EnginePair pair;
  for (std::uint32_t i = 0; i < PuntRing::kDatagrams + 10; ++i) {
    pair.bob.from_wire(starts_with({0x81, 0, 0, 0}, 40), kSomewhere);
    if (i % 512 == 0) pair.bob.turn();
  }
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kPunted), PuntRing::kDatagrams);
  EXPECT_EQ(pair.bob.count(Fate::kDropPuntFull), 10u);
  // A control message has a ring of its own.
  const Bytes control{0x10, 1, 2};
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, control));
  pair.alice.turn();
  carry(pair.alice, pair.bob);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.punts(PuntKind::kControl).size(), 1u);
}

TEST(WireDatagrams, ConfirmASessionOnce) {
  EnginePair pair;
  for (int i = 0; i < 3; ++i)
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.exchange();
  const auto punts = pair.bob.punts();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kSessionConfirmed);
  EXPECT_EQ(punts[0].punt.peer, pair.alice_at_bob.peer);
  EXPECT_EQ(punts[0].punt.session, pair.alice_at_bob.session);
  EXPECT_EQ(punts[0].punt.source, pair.alice.at);
}

TEST(WireDatagrams, TellOfANewPathAtMostTenTimesASecond) {
  EnginePair pair;
  const auto roam = [&] {
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
    pair.alice.turn();
    for (const Datagram& datagram : pair.alice.to_wire()) {
      pair.bob.from_wire(datagram.bytes, kSomewhere);
    }
    pair.bob.turn();
    return pair.bob.punts(PuntKind::kPathChanged);
  };
  const auto first = roam();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].punt.source, kSomewhere);
  pair.advance(milliseconds(99));
  EXPECT_TRUE(roam().empty());
  pair.advance(milliseconds(1));
  EXPECT_EQ(roam().size(), 1u);
  pair.bob.table.set_path(pair.alice_at_bob.peer, {kSomewhere, 1420});
  pair.advance(milliseconds(200));
  EXPECT_TRUE(roam().empty());
}

TEST(WireDatagrams, DoNotTellOfAPathWhenReplayedFromElsewhere) {
  EnginePair pair;
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  pair.bob.from_wire(wire[0].bytes, pair.alice.at);
  pair.bob.from_wire(wire[0].bytes, kSomewhere);
  pair.bob.turn();
  EXPECT_TRUE(pair.bob.punts(PuntKind::kPathChanged).empty());
}

TEST(WireDatagrams, CarryControlMessagesBetweenIpopPeersOnly) {
  const Bytes control{0x1f, 7, 7, 7};
  for (const SessionForm form : {SessionForm::kIpop, SessionForm::kWireGuard}) {
    EnginePair pair({.suite = AeadSuite::kChaCha20Poly1305, .form = form});
    EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, control));
    pair.exchange();
    const auto punts = pair.bob.punts(PuntKind::kControl);
    if (form == SessionForm::kIpop) {
      ASSERT_EQ(punts.size(), 1u);
      EXPECT_EQ(punts[0].bytes, control);
      EXPECT_EQ(punts[0].punt.peer, pair.alice_at_bob.peer);
      EXPECT_EQ(punts[0].punt.session, pair.alice_at_bob.session);
      EXPECT_EQ(punts[0].punt.source, pair.alice.at);
    } else {
      EXPECT_TRUE(punts.empty());
      EXPECT_EQ(pair.bob.count(Fate::kDropInnerMalformed), 1u);
    }
  }
}

TEST(WireDatagrams, WithAnAuthenticButBrokenInsideAreDropped) {
  EnginePair pair;
  Bytes cut = ip_packet(pair.alice4, pair.bob4, 100);
  cut.resize(60);
  const Bytes broken[] = {{0x45}, {0xe0, 1, 2}, {0xff}, {0x00}, cut};
  for (const Bytes& plaintext : broken) {
    EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, plaintext));
  }
  pair.exchange();
  EXPECT_EQ(pair.bob.count(Fate::kDropInnerMalformed), std::size(broken));
}

TEST(WireDatagrams, OfAnyRandomContentHaveOneFateAndDoNoHarm) {
  EnginePair pair;
  std::mt19937_64 random(20130521);
  const std::uint8_t firsts[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x11, 0x12, 0x80, 0xff};
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 32; ++i) {
      Bytes garbage(random() % 200);
      for (std::uint8_t& byte : garbage)
        byte = static_cast<std::uint8_t>(random());
      if (garbage.size() >= 8 && random() % 4 != 0) {
        store_le(garbage.data(), std::uint32_t{firsts[random() % std::size(firsts)]});
        if (random() % 2 != 0) {
          store_le(&garbage[4], static_cast<std::uint32_t>(pair.alice_at_bob.session));
        }
      }
      pair.bob.from_wire(garbage, kSomewhere);
      pair.bob.from_host(garbage);
    }
    pair.bob.turn();
    pair.bob.now += milliseconds(20);
    if (round % 7 == 0) (void)pair.bob.punts();
    (void)pair.bob.to_host();
    (void)pair.bob.to_wire();
  }
  pair.bob.expect_balance();
  EXPECT_EQ(pair.bob.counters().wire_rx, 400u * 32u);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 0u);
  EXPECT_GT(pair.bob.count(Fate::kDropWireForged), 0u);
  // And it still works.
  (void)pair.alice.punts();
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.exchange();
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 1u);
}

}  // namespace
}  // namespace ipop::engine
