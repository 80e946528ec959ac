// Trains as they come from the wire, good and bad, and what a peer says of partial checksums.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

class Trains : public testing::Test {
 protected:
  // Sealed datagrams for bob, all of one size, each with its number.
  std::vector<Bytes> datagrams(std::uint8_t count, std::size_t payload = 100) {
    for (std::uint8_t i = 0; i < count; ++i)
      pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, payload, i)));
    pair.alice.turn();
    std::vector<Bytes> made;
    for (const Datagram& each : pair.alice.to_wire())
      made.push_back(each.bytes);
    EXPECT_EQ(made.size(), count);
    return made;
  }
  void from_wire_as_train(const std::vector<Bytes>& parts) {
    Bytes train;
    for (const Bytes& part : parts)
      train.insert(train.end(), part.begin(), part.end());
    bob.from_wire(train, pair.alice.at, static_cast<std::uint16_t>(parts.at(0).size()));
  }
  std::vector<int> arrived() {
    bob.turn();
    std::vector<int> marks;
    for (const Bytes& frame : bob.to_host())
      marks.push_back(mark_of(packet_of(frame)));
    return marks;
  }

  EnginePair pair;
  EngineNode& bob = pair.bob;
};

using Marks = std::vector<int>;

TEST_F(Trains, AreOpenedWhole) {
  from_wire_as_train(datagrams(64));
  EXPECT_EQ(arrived().size(), 64u);
  EXPECT_EQ(bob.counters().wire_rx, 64u);
}

TEST_F(Trains, MayEndWithAShorterDatagram) {
  auto parts = datagrams(3);
  parts.push_back(datagrams(1, 7)[0]);
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{0, 1, 2, 0}));
}

TEST_F(Trains, LoseNoMoreThanTheForgedDatagram) {
  auto parts = datagrams(5);
  parts[2].back() ^= 1;
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{0, 1, 3, 4}));
  EXPECT_EQ(bob.count(Fate::kDropWireForged), 1u);
}

TEST_F(Trains, LoseNoMoreThanADatagramOfNoKind) {
  auto parts = datagrams(5);
  parts[0].assign(parts[0].size(), 0xff);
  parts[3][4] ^= 0x40;  // the receiver's index
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{1, 2, 4}));
  EXPECT_EQ(bob.count(Fate::kDropWireMalformed), 1u);
  EXPECT_EQ(bob.count(Fate::kDropWireUnknownSession), 1u);
}

TEST_F(Trains, LoseNoMoreThanTheReplayedDatagram) {
  auto parts = datagrams(4);
  parts.insert(parts.begin() + 2, parts[1]);
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{0, 1, 2, 3}));
  EXPECT_EQ(bob.count(Fate::kDropWireReplayed), 1u);
}

TEST_F(Trains, LoseTheEndOfADatagramThatIsCut) {
  for (const std::size_t left : {0u, 1u, 15u, 16u, 31u, 32u, 33u, 100u}) {
    auto parts = datagrams(3);
    parts[2].resize(left);
    from_wire_as_train(parts);
    EXPECT_EQ(arrived(), (Marks{0, 1})) << left;
  }
}

TEST_F(Trains, DeliverWhatStandsBeforeAShorterDatagramInTheMiddle) {
  auto parts = datagrams(6);
  parts[3].resize(parts[3].size() - 5);
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{0, 1, 2}));
  EXPECT_EQ(bob.counters().wire_rx, 6u);
  bob.expect_balance();
}

TEST_F(Trains, StandAmongSingleDatagramsAndTrainsOfOtherSizes) {
  const auto small = datagrams(10, 20);
  const auto large = datagrams(10, 900);
  bob.from_wire(small[0], pair.alice.at);
  from_wire_as_train({large.begin(), large.begin() + 5});
  bob.from_wire(Bytes(), pair.alice.at);  // one that was cut
  from_wire_as_train({small.begin() + 1, small.begin() + 8});
  bob.from_wire(large[5], pair.alice.at);
  EXPECT_EQ(arrived(), (Marks{0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 5}));
  EXPECT_EQ(bob.count(Fate::kDropWireMalformed), 1u);
}

// 32 trains are one burst: more than the host takes in one go.
TEST_F(Trains, FillABurstAndMore) {
  std::size_t sent = 0;
  for (int i = 0; i < 32; ++i) {
    from_wire_as_train(datagrams(60, 20));
    sent += 60;
  }
  EXPECT_EQ(arrived().size(), sent);
  EXPECT_EQ(bob.count(Fate::kDelivered), sent);
}

TEST_F(Trains, BringMessagesForTheOverlayAmongData) {
  auto parts = datagrams(2);
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, Bytes(120, 0x10)));
  pair.alice.turn();
  const auto control = pair.alice.to_wire();
  ASSERT_EQ(control.size(), 1u);
  ASSERT_EQ(control[0].bytes.size(), parts[0].size());
  parts.insert(parts.begin() + 1, control[0].bytes);
  from_wire_as_train(parts);
  EXPECT_EQ(arrived(), (Marks{0, 1}));
  const auto punts = bob.punts(PuntKind::kControl);
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].bytes, Bytes(120, 0x10));
}

// Plaintexts that say that their checksum is partial.
struct Said {
  const char* description;
  Bytes packet;
};

PacketSpec partial(bool is_tcp, bool six) {
  PacketSpec spec{.is_tcp = is_tcp, .payload = Bytes(50, 7), .checksum = Checksum::kPartial};
  if (six) {
    spec.from = ip("fd00::1");
    spec.to = ip("fd00::2");
  }
  return spec;
}

Bytes marked(Bytes packet) {
  packet[0] |= 0x10;
  return packet;
}

void send(EnginePair& pair, const Bytes& plaintext) {
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, plaintext));
  pair.exchange();
}

TEST(PartialChecksums, ReachTheHostAsSuch) {
  for (const bool agreed : {false, true}) {
    EnginePair pair({.partial_checksums = agreed});
    for (const bool six : {false, true}) {
      for (const bool is_tcp : {false, true}) {
        const PacketSpec spec = partial(is_tcp, six);
        send(pair, marked(build(spec)));
        const auto frames = pair.bob.to_host_marked();
        ASSERT_EQ(frames.size(), 1u);
        EXPECT_EQ(packet_of(frames[0].bytes), build(spec));
        EXPECT_TRUE(frames[0].marks.partial_checksum);
        EXPECT_EQ(frames[0].marks.transport_start, spec.transport_start());
        EXPECT_EQ(frames[0].marks.is_tcp, is_tcp);
      }
    }
  }
}

std::vector<Said> nonsense() {
  std::vector<Said> all;
  const auto add = [&](const char* description, Bytes packet, auto change) {
    change(packet);
    all.push_back({description, marked(std::move(packet))});
  };
  const auto cut_v4 = [](Bytes& packet, std::size_t size) {
    packet.resize(size);
    store_be(&packet[2], static_cast<std::uint16_t>(size));
  };
  const Bytes tcp4 = build(partial(true, false));
  const Bytes udp4 = build(partial(false, false));
  const Bytes udp6 = build(partial(false, true));
  add("ICMP", tcp4, [](Bytes& it) { it[9] = 1; });
  add("a protocol that nobody knows", udp6, [](Bytes& it) { it[6] = 200; });
  add("a first fragment", tcp4, [](Bytes& it) { it[6] |= 0x20; });
  add("a later fragment", udp4, [](Bytes& it) { it[7] = 1; });
  add("TCP cut in its header", tcp4, [&](Bytes& it) { cut_v4(it, 39); });
  add("TCP cut in its options", tcp4, [&](Bytes& it) {
    it[32] = 0xf0;
    cut_v4(it, 60);
  });
  add("TCP with too short a header", tcp4, [](Bytes& it) { it[32] = 0x40; });
  add("UDP cut in its header", udp4, [&](Bytes& it) { cut_v4(it, 27); });
  add("UDP of another length", udp6, [](Bytes& it) { it[45] ^= 1; });
  add("an extension header", udp6, [](Bytes& it) { it[6] = 60; });
  add("IPv4 that is cut", udp4, [](Bytes& it) { it.resize(19); });
  add("IPv6 that is cut", udp6, [](Bytes& it) { it.resize(39); });
  add("longer than it is", udp4, [](Bytes& it) { it.pop_back(); });
  add("a byte", Bytes{0x40}, [](Bytes&) {});
  return all;
}

TEST(PartialChecksums, AreRefusedWhereThereIsNone) {
  EnginePair pair({.partial_checksums = true});
  std::uint64_t refused = 0;
  for (const Said& each : nonsense()) {
    send(pair, each.packet);
    EXPECT_EQ(pair.bob.count(Fate::kDropInnerMalformed), ++refused) << each.description;
    EXPECT_TRUE(pair.bob.to_host().empty()) << each.description;
  }
}

TEST(PartialChecksums, AreNotPartOfWireGuard) {
  EnginePair pair({.suite = AeadSuite::kChaCha20Poly1305, .form = SessionForm::kWireGuard});
  for (const bool six : {false, true})
    send(pair, marked(build(partial(true, six))));
  EXPECT_EQ(pair.bob.count(Fate::kDropInnerMalformed), 2u);
  EXPECT_TRUE(pair.bob.to_host().empty());
}

TEST(PartialChecksums, DoNotOpenTheDoorToOtherSources) {
  EnginePair pair({.partial_checksums = true});
  PacketSpec spec = partial(true, false);
  spec.from = ip("10.0.0.99");
  send(pair, marked(build(spec)));
  EXPECT_EQ(pair.bob.count(Fate::kDropSourceNotAllowed), 1u);
}

}  // namespace
}  // namespace ipop::engine
