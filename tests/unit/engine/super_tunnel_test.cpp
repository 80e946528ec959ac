// Super-packets and partial checksums from host to host: what arrives, cut again, is what a network
// card would have made of what was sent.
#include <gtest/gtest.h>

#include "engine/path/staging.hpp"
#include "engine/path/wire_batch.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kRoom = 1452 - 32;

PacketSpec tcp4(std::size_t payload) {
  std::mt19937_64 random(payload);
  return {.is_tcp = true,
          .flags = tcp::kAck | tcp::kPsh,
          .tcp_options = Bytes(12, 1),
          .payload = random_payload(random, payload),
          .checksum = Checksum::kPartial};
}
PacketSpec udp4(std::size_t payload) {
  PacketSpec spec = tcp4(payload);
  spec.is_tcp = false;
  return spec;
}
PacketSpec over_v6(PacketSpec spec) {
  spec.from = ip("fd00::1");
  spec.to = ip("fd00::2");
  return spec;
}
PacketSpec extended(PacketSpec spec) {
  spec.ip_options = {0, 0, 0x1e, 4, 1, 2, 3, 4};
  return spec;
}

std::vector<Bytes> cut_frame(const MarkedFrame& frame) {
  return packets_of(frame.bytes, frame.marks);
}

class SuperTunnel : public testing::TestWithParam<Pairing> {
 protected:
  // All packets that bob's host got since the last call, cut.
  std::vector<Bytes> arrived() {
    std::vector<Bytes> packets;
    for (const MarkedFrame& frame : pair.bob.to_host_marked()) {
      EXPECT_LE(frame.bytes.size(), 14u + 65535);
      for (const Bytes& packet : cut_frame(frame))
        packets.push_back(packet);
    }
    return packets;
  }
  // Moves what is on the wire to bob and judges its trains; returns the datagrams' number.
  std::size_t cross(std::size_t mtu = kRoom + 32) {
    std::size_t count = 0;
    for (const Datagram& each : pair.alice.to_wire()) {
      const std::size_t segment = each.segment_size == 0 ? each.bytes.size() : each.segment_size;
      const std::size_t datagrams = (each.bytes.size() + segment - 1) / segment;
      EXPECT_LE(segment, mtu);
      EXPECT_LE(each.bytes.size(), 65507u);
      EXPECT_LE(datagrams, 64u);
      count += datagrams;
      pair.bob.from_wire(each.bytes, pair.alice.at, each.segment_size);
    }
    pair.bob.turn();
    return count;
  }

  EnginePair pair{GetParam()};
};

TEST_P(SuperTunnel, CarriesWhatACardWouldHaveMade) {
  std::size_t all = 0;
  for (const std::size_t size : {1u, 15u, 1340u, 1369u, 4000u, 20'000u, 60'000u}) {
    for (const PacketSpec& spec : {tcp4(size), udp4(size), over_v6(tcp4(size)), over_v6(udp4(size)),
                                   extended(over_v6(tcp4(size))), extended(over_v6(udp4(size)))}) {
      for (const std::size_t each : {kRoom - spec.headers(), std::size_t{536}}) {
        SCOPED_TRACE(testing::Message()
                     << size << " by " << each << ", headers " << spec.headers());
        const auto expected = cut_super(build(spec), spec.transport_start(), spec.is_tcp, each);
        pair.alice.from_host(marked_frame(spec, each));
        pair.alice.turn();
        EXPECT_EQ(cross(), expected.size());
        ASSERT_TRUE(arrived() == expected);
        all += expected.size();
      }
    }
  }
  EXPECT_EQ(pair.alice.count(Fate::kSent), all);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), all);
  EXPECT_EQ(pair.alice.table.counters(pair.bob_at_alice.peer).tx_packets, all);
  const PeerCounters received = pair.bob.table.counters(pair.alice_at_bob.peer);
  EXPECT_EQ(received.rx_packets, all);
  EXPECT_EQ(received.rx_bytes, pair.alice.table.counters(pair.bob_at_alice.peer).tx_bytes);
}

TEST_P(SuperTunnel, CarriesSegmentsOfAFewBytes) {
  for (const PacketSpec& spec : {tcp4(2000), udp4(2000), over_v6(udp4(700))}) {
    const auto expected = cut_super(build(spec), spec.transport_start(), spec.is_tcp, 3);
    pair.alice.from_host(marked_frame(spec, 3));
    pair.alice.turn();
    EXPECT_EQ(cross(), expected.size());
    ASSERT_TRUE(arrived() == expected);
  }
}

TEST_P(SuperTunnel, GivesTheFarHostSuperPacketsAgain) {
  const std::size_t each = kRoom - tcp4(0).headers();
  pair.alice.from_host(marked_frame(tcp4(40 * each), each));
  pair.exchange();
  const auto frames = pair.bob.to_host_marked();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].marks.segment_size, each);
  EXPECT_EQ(packet_of(frames[0].bytes).size(), tcp4(0).headers() + 40 * each);
}

// A stream of super-packets, small ones with a partial checksum and whole ones stays in order.
TEST_P(SuperTunnel, KeepsTheOrderOfLongAndShort) {
  std::mt19937_64 random(3);
  PacketSpec spec = tcp4(0);
  spec.flags = tcp::kAck;
  std::vector<Bytes> expected;
  for (int i = 0; i < 60; ++i) {
    spec.payload = random_payload(random, random() % (i % 2 == 0 ? 1300 : 30'000));
    spec.checksum = i % 4 == 2 ? Checksum::kWhole : Checksum::kPartial;
    const bool super = spec.payload.size() > 1300;
    if (spec.checksum == Checksum::kWhole && !super) {
      pair.alice.from_host(frame_of(build(spec)));
    } else {
      spec.checksum = Checksum::kPartial;
      pair.alice.from_host(marked_frame(spec, super ? 1300 : 0));
    }
    for (const Bytes& packet : super
                                   ? cut_super(build(spec), 20, true, 1300)
                                   : std::vector<Bytes>{with_whole_checksum(build(spec), 20, true)})
      expected.push_back(packet);
    spec.sequence += static_cast<std::uint32_t>(spec.payload.size());
    ++spec.id;
    if (i % 7 == 0) pair.alice.turn();
  }
  pair.alice.turn();
  EXPECT_EQ(cross(), expected.size());
  const auto got = arrived();
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    // Ids of packets that are never cut mean nothing (RFC 6864 §4.1).
    ASSERT_EQ(Bytes(got[i].begin() + 12, got[i].end()),
              Bytes(expected[i].begin() + 12, expected[i].end()))
        << i;
  }
}

TEST_P(SuperTunnel, CompletesOrKeepsThePartialChecksumOfAPacket) {
  for (const PacketSpec& spec :
       {tcp4(100), udp4(100), over_v6(tcp4(0)), over_v6(udp4(0)), extended(over_v6(udp4(77)))}) {
    pair.alice.from_host(marked_frame(spec));
    pair.exchange();
    const auto frames = pair.bob.to_host_marked();
    ASSERT_EQ(frames.size(), 1u);
    const bool partial = GetParam().partial_checksums && spec.ip_options.empty();
    EXPECT_EQ(frames[0].marks.partial_checksum, partial);
    const Bytes whole = with_whole_checksum(build(spec), spec.transport_start(), spec.is_tcp);
    EXPECT_EQ(packet_of(frames[0].bytes), partial ? build(spec) : whole);
  }
}

TEST_P(SuperTunnel, SendsWhatWaitedAndCountsItsSegments) {
  pair.advance(std::chrono::seconds(180));
  std::vector<Bytes> expected;
  for (int i = 0; i < 3; ++i) {
    const PacketSpec spec = tcp4(10'000 + static_cast<std::size_t>(i));
    pair.alice.from_host(marked_frame(spec, 1000));
    for (const Bytes& packet : cut_super(build(spec), 20, true, 1000))
      expected.push_back(packet);
    PacketSpec small = udp4(50);
    small.id = static_cast<std::uint16_t>(i);
    pair.alice.from_host(marked_frame(small));
    expected.push_back(with_whole_checksum(build(small), 20, false));
  }
  pair.alice.turn();
  EXPECT_TRUE(pair.alice.to_wire().empty());
  EXPECT_EQ(pair.alice.counters().staged, expected.size());
  pair.alice.expect_balance();
  pair.renew(GetParam());
  EXPECT_TRUE(pair.alice.orders.retry_staged());
  pair.alice.turn();
  EXPECT_EQ(pair.alice.counters().staged, 0u);
  EXPECT_EQ(cross(), expected.size());
  auto got = arrived();
  std::ranges::sort(got);
  std::ranges::sort(expected);
  EXPECT_TRUE(got == expected);
}

TEST_P(SuperTunnel, TellsTheHostOnceHowLargeASegmentMayBe) {
  pair.alice.table.set_path(pair.bob_at_alice.peer, {pair.bob.at, 1000});
  pair.alice.from_host(marked_frame(tcp4(20'000), 968 - tcp4(0).headers()));
  pair.alice.turn();
  EXPECT_GT(cross(1000), 20u);
  const std::uint64_t sent = pair.alice.count(Fate::kSent);
  pair.alice.from_host(marked_frame(tcp4(9000), 969 - tcp4(0).headers()));
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kSent), sent);
  EXPECT_EQ(pair.alice.count(Fate::kDropHostTooBig), 10u);
  const auto answers = pair.alice.to_host();
  ASSERT_EQ(answers.size(), 1u);
  const Bytes icmp = packet_of(answers[0]);
  EXPECT_EQ(icmp[20], 3);
  EXPECT_EQ(icmp[21], 4);
  EXPECT_EQ(load_be<std::uint16_t>(&icmp[26]), 968u);
  // One that is too large only by its segment size is not.
  pair.alice.from_host(marked_frame(tcp4(500), 9000));
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kSent), sent + 1);
}

TEST_P(SuperTunnel, CountsEverySegmentThatFoundNoBuffer) {
  std::vector<rte_mbuf*> taken;
  pair.alice.from_host(marked_frame(tcp4(10'000), 1000));
  while (rte_mbuf* const one = rte_pktmbuf_alloc(pair.alice.supers.get()))
    taken.push_back(one);
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kDropWireFull), 10u);
  EXPECT_TRUE(pair.alice.to_wire().empty());
  for (rte_mbuf* const one : taken)
    rte_pktmbuf_free(one);
}

std::string pairing_name(const testing::TestParamInfo<Pairing>& info) {
  return std::string(info.param.suite == AeadSuite::kAes256Gcm ? "Aes" : "ChaCha") +
         (info.param.form == SessionForm::kIpop ? "Ipop" : "WireGuard") +
         (info.param.partial_checksums ? "Partial" : "Whole");
}

INSTANTIATE_TEST_SUITE_P(
    SuitesAndForms, SuperTunnel,
    testing::Values(Pairing{.suite = AeadSuite::kAes256Gcm},
                    Pairing{.suite = AeadSuite::kAes256Gcm, .partial_checksums = true},
                    Pairing{.suite = AeadSuite::kChaCha20Poly1305},
                    Pairing{.suite = AeadSuite::kChaCha20Poly1305, .partial_checksums = true},
                    Pairing{.suite = AeadSuite::kChaCha20Poly1305,
                            .form = SessionForm::kWireGuard}),
    pairing_name);

// What waits is bounded in super-packets too, and every segment of what goes is counted.
TEST(WaitingSupers, AreCountedBySegmentsWhateverBecomesOfThem) {
  EnginePair pair;
  EngineNode& alice = pair.alice;
  PacketSpec spec = tcp4(4500);
  const auto give = [&](const char* to, int count) {
    spec.to = ip(to);
    for (int i = 0; i < count; ++i)
      alice.from_host(marked_frame(spec, 1000));
    alice.turn();
  };
  give("10.0.0.77", 40);
  give("10.0.0.78", 40);
  EXPECT_EQ(alice.counters().staged, 5u * Staging::kMaxSupers);
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 5u * (80 - Staging::kMaxSupers));
  alice.expect_balance();
  EXPECT_TRUE(alice.orders.reject_staged(ip("10.0.0.77"), RejectReason::kHostUnreachable));
  alice.turn();
  EXPECT_EQ(alice.count(Fate::kDropUnreachable), 5u * 40);
  alice.now += Staging::kPatience;
  alice.state().tick(alice.now);
  EXPECT_EQ(alice.count(Fate::kDropStagingExpired), 5u * 24);
  EXPECT_EQ(alice.counters().staged, 0u);
  alice.expect_balance();
  // And their places are free again.
  give("10.0.0.79", 64);
  EXPECT_EQ(alice.counters().staged, 5u * 64);
}

TEST(MarkedFrames, AreRefusedWhenTheirMarksLieOutsideThePacket) {
  EnginePair pair;
  EngineNode& alice = pair.alice;
  struct Case {
    const char* description;
    Bytes packet;
    std::size_t padding;
    FrameMarks marks;
    std::uint64_t packets;
  };
  const Bytes bare = ip_packet(pair.alice4, pair.bob4, 0);
  const Bytes eight = ip_packet(pair.alice4, pair.bob4, 8);
  const Bytes super = build(tcp4(4000));
  const Bytes six = build(over_v6(udp4(4000)));
  const Case cases[] = {
      {"a checksum behind the packet", bare, 300, {true, 20, true, 0}, 1},
      {"a transport part behind the packet", bare, 600, {true, 500, false, 0}, 1},
      {"a checksum across the packet's end", eight, 60, {true, 20, true, 0}, 1},
      {"a super-packet with padding", super, 8, {true, 20, true, 1000}, 5},
      {"a super-packet of one that has no payload", bare, 0, {true, 20, false, 1000}, 1},
      {"a TCP super-packet that is UDP", six, 0, {true, 40, true, 1000}, 0},
  };
  std::uint64_t dropped = 0;
  for (const Case& each : cases) {
    alice.from_host(MarkedFrame{frame_of(each.packet, each.padding), each.marks});
    alice.turn();
    EXPECT_TRUE(alice.to_wire().empty()) << each.description;
    EXPECT_GT(alice.count(Fate::kDropHostMalformed), dropped) << each.description;
    if (each.packets != 0) {
      EXPECT_EQ(alice.count(Fate::kDropHostMalformed), dropped + each.packets) << each.description;
    }
    dropped = alice.count(Fate::kDropHostMalformed);
  }
}

}  // namespace
}  // namespace ipop::engine
