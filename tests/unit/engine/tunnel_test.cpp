// Two engines joined by a wire: what goes in at one host comes out at the other, for each suite and
// form; and everything that must not come out.
#include <gtest/gtest.h>

#include "engine/path/data_header.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

class Tunnel : public testing::TestWithParam<Pairing> {};

TEST_P(Tunnel, CarriesPacketsBothWaysUnchanged) {
  EnginePair pair(GetParam());
  for (const std::size_t payload : {0u, 1u, 15u, 16u, 64u, 512u, 1300u}) {
    const Bytes there = ip_packet(pair.alice4, pair.bob4, payload, 1);
    const Bytes back = ip_packet(pair.bob6, pair.alice6, payload, 2);
    pair.alice.from_host(frame_of(there));
    pair.bob.from_host(frame_of(back));
    pair.exchange();
    const auto at_bob = pair.bob.to_host();
    const auto at_alice = pair.alice.to_host();
    ASSERT_EQ(at_bob.size(), 1u);
    ASSERT_EQ(at_alice.size(), 1u);
    EXPECT_EQ(packet_of(at_bob[0]), there);
    EXPECT_EQ(at_bob[0][12], 0x08);
    EXPECT_EQ(at_bob[0][13], 0x00);
    EXPECT_EQ(packet_of(at_alice[0]), back);
    EXPECT_EQ(at_alice[0][12], 0x86);
    EXPECT_EQ(at_alice[0][13], 0xdd);
  }
  EXPECT_EQ(pair.alice.count(Fate::kSent), 7u);
  EXPECT_EQ(pair.alice.count(Fate::kDelivered), 7u);
}

TEST_P(Tunnel, KeepsTheOrderOfManyBursts) {
  EnginePair pair(GetParam());
  constexpr int kPackets = 200;
  for (int i = 0; i < kPackets; ++i) {
    pair.alice.from_host(
        frame_of(ip_packet(pair.alice4, pair.bob4, 40, static_cast<std::uint8_t>(i))));
  }
  pair.exchange();
  const auto frames = pair.bob.to_host();
  ASSERT_EQ(frames.size(), std::size_t{kPackets});
  for (int i = 0; i < kPackets; ++i) {
    EXPECT_EQ(mark_of(packet_of(frames[i])), static_cast<std::uint8_t>(i));
  }
}

TEST_P(Tunnel, CountsWhatEachPeerSentAndReceived) {
  EnginePair pair(GetParam());
  for (int i = 0; i < 3; ++i)
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 80)));
  pair.exchange();
  const PeerCounters sent = pair.alice.table.counters(pair.bob_at_alice.peer);
  EXPECT_EQ(sent.tx_packets, 3u);
  EXPECT_EQ(sent.tx_bytes, 300u);
  EXPECT_EQ(sent.rx_packets, 0u);
  const PeerCounters received = pair.bob.table.counters(pair.alice_at_bob.peer);
  EXPECT_EQ(received.rx_packets, 3u);
  EXPECT_EQ(received.rx_bytes, 300u);
  const SessionActivity activity = pair.alice.table.activity(pair.bob_at_alice.session);
  EXPECT_EQ(activity.tx_packets, 3u);
  EXPECT_EQ(activity.last_data_tx, pair.alice.now);
  EXPECT_EQ(activity.last_rx, Instant{});
}

TEST_P(Tunnel, NeverOpensADatagramWithOneDamagedBit) {
  EnginePair pair(GetParam());
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 12)));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  for (std::size_t bit = 0; bit < wire[0].bytes.size() * 8; ++bit) {
    Bytes damaged = wire[0].bytes;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    pair.bob.from_wire(damaged, pair.alice.at);
    pair.bob.turn();
  }
  EXPECT_TRUE(pair.bob.to_host().empty());
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 0u);
  pair.bob.from_wire(wire[0].bytes, pair.alice.at);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 1u);
}

TEST_P(Tunnel, RefusesAReplayAndTakesWhatIsLate) {
  EnginePair pair(GetParam());
  for (std::uint8_t i = 0; i < 3; ++i) {
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 40, i)));
  }
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 3u);
  for (const std::size_t i : {2u, 0u, 2u, 0u, 1u})
    pair.bob.from_wire(wire[i].bytes, pair.alice.at);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 3u);
  EXPECT_EQ(pair.bob.count(Fate::kDropWireReplayed), 2u);
}

TEST_P(Tunnel, DropsAPacketFromAnAddressThatIsNotThePeers) {
  EnginePair pair(GetParam());
  pair.alice.from_host(frame_of(ip_packet(ip("10.0.0.99"), pair.bob4)));
  pair.alice.from_host(frame_of(ip_packet(ip("fd00::99"), pair.bob6)));
  // Not even bob's own.
  pair.alice.from_host(frame_of(ip_packet(pair.bob4, pair.bob4)));
  pair.exchange();
  EXPECT_EQ(pair.bob.count(Fate::kDropSourceNotAllowed), 3u);
  EXPECT_TRUE(pair.bob.to_host().empty());
}

TEST_P(Tunnel, AllowsSourcesOutOfAPeersSubnet) {
  EnginePair pair(GetParam());
  ASSERT_TRUE(pair.bob.table.add_route(prefix("172.16.0.0/16"), pair.alice_at_bob.peer));
  pair.alice.from_host(frame_of(ip_packet(ip("172.16.3.4"), pair.bob4)));
  pair.exchange();
  EXPECT_EQ(pair.bob.to_host().size(), 1u);
}

TEST_P(Tunnel, OpensNothingAfterTheSessionsTime) {
  EnginePair pair(GetParam());
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.alice.turn();
  pair.advance(std::chrono::seconds(180));
  carry(pair.alice, pair.bob);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireExpired), 1u);
}

TEST_P(Tunnel, SealsNothingAfterTheSessionsTimeButWaits) {
  EnginePair pair(GetParam());
  pair.advance(std::chrono::seconds(180));
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.alice.turn();
  EXPECT_TRUE(pair.alice.to_wire().empty());
  EXPECT_EQ(pair.alice.counters().staged, 1u);
  EXPECT_EQ(pair.alice.punts(PuntKind::kNeedSession).size(), 1u);
}

TEST_P(Tunnel, ForgetsARetiredSession) {
  EnginePair pair(GetParam());
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4)));
  pair.alice.turn();
  pair.bob.table.retire_session(pair.alice_at_bob.session);
  carry(pair.alice, pair.bob);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireUnknownSession), 1u);
}

TEST_P(Tunnel, TellsTheHostHowLargeAPacketMayBe) {
  Pairing pairing = GetParam();
  pairing.mtu = 1000;
  EnginePair pair(pairing);
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 1000 - 32 - 20)));
  pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 1000 - 32 - 20 + 1)));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire[0].bytes.size(), 1000u);
  EXPECT_EQ(pair.alice.count(Fate::kDropHostTooBig), 1u);
  const auto answers = pair.alice.to_host();
  ASSERT_EQ(answers.size(), 1u);
  const Bytes icmp = packet_of(answers[0]);
  EXPECT_EQ(IpAddress::v4_at(&icmp[12]), pair.bob4);
  EXPECT_EQ(IpAddress::v4_at(&icmp[16]), pair.alice4);
  EXPECT_EQ(icmp[20], 3);
  EXPECT_EQ(icmp[21], 4);
  EXPECT_EQ(load_be<std::uint16_t>(&icmp[26]), 968u);
}

TEST_P(Tunnel, CutsEthernetPaddingAndPaddingInsideTheTunnel) {
  EnginePair pair(GetParam());
  const Bytes packet = ip_packet(pair.alice4, pair.bob4, 5);
  pair.alice.from_host(frame_of(packet, 21));
  pair.exchange();
  const auto frames = pair.bob.to_host();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(packet_of(frames[0]), packet);
}

TEST_P(Tunnel, TakesAKeepaliveAndAPathFromIt) {
  EnginePair pair(GetParam());
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, {}));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire[0].bytes.size(), kDataHeader + kTagSize);
  const Endpoint moved = endpoint("198.51.100.7:1024");
  pair.bob.from_wire(wire[0].bytes, moved);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kKeepalive), 1u);
  const auto punts = pair.bob.punts();
  ASSERT_EQ(punts.size(), 2u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kSessionConfirmed);
  EXPECT_EQ(punts[0].punt.source, moved);
  EXPECT_EQ(punts[1].punt.kind, PuntKind::kPathChanged);
  EXPECT_EQ(punts[1].punt.peer, pair.alice_at_bob.peer);
  EXPECT_EQ(punts[1].punt.session, pair.alice_at_bob.session);
  EXPECT_EQ(punts[1].punt.source, moved);
}

std::string pairing_name(const testing::TestParamInfo<Pairing>& info) {
  return std::string(info.param.suite == AeadSuite::kAes256Gcm ? "Aes" : "ChaCha") +
         (info.param.form == SessionForm::kIpop ? "Ipop" : "WireGuard");
}

INSTANTIATE_TEST_SUITE_P(SuitesAndForms, Tunnel,
                         testing::Values(Pairing{AeadSuite::kAes256Gcm, SessionForm::kIpop},
                                         Pairing{AeadSuite::kChaCha20Poly1305, SessionForm::kIpop},
                                         Pairing{AeadSuite::kChaCha20Poly1305,
                                                 SessionForm::kWireGuard}),
                         pairing_name);

}  // namespace
}  // namespace ipop::engine
