// Packets that are taken because they are just what had been expected, and those that are almost.
#include "engine/path/next_segment.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/engine_node.hpp"
#include "tests/unit/engine/merging.hpp"

namespace ipop::engine {
namespace {

using Counts = std::vector<std::size_t>;

// A flow's packets, with partial checksums.
class Flow {
 public:
  Flow(bool is_tcp, bool six, std::size_t options = 12) {
    spec.is_tcp = is_tcp;
    spec.never_cut = false;
    spec.checksum = Checksum::kPartial;
    spec.id = 100;
    if (is_tcp) spec.tcp_options = Bytes(options, 1);
    if (!six) return;
    spec.from = ip("fd00::1");
    spec.to = ip("fd00::2");
  }
  PacketSpec next(std::size_t size = 100) {
    PacketSpec made = spec;
    made.payload.assign(size, static_cast<std::uint8_t>(spec.id));
    spec.sequence += static_cast<std::uint32_t>(size);
    if (counts) ++spec.id;
    return made;
  }

  PacketSpec spec;
  bool counts = true;
};

Arrival arrival(const PacketSpec& spec) {
  return {build(spec), spec.checksum == Checksum::kPartial};
}

// How many of ten packets were expected; all are merged.
std::size_t expected_of_ten(Flow flow) {
  Merging merging;
  for (int i = 0; i < 10; ++i)
    merging.add(arrival(flow.next()));
  merging.finish_turn();
  EXPECT_EQ(merging.complaint(), "");
  EXPECT_EQ(merging.counts(), (Counts{10}));
  return merging.extended();
}

TEST(NextSegment, IsExpectedFromTheThirdPacketOnInEveryFamily) {
  for (const bool six : {false, true}) {
    EXPECT_EQ(expected_of_ten({false, six}), 8u);
    for (const std::size_t options : {0u, 4u, 12u})
      EXPECT_EQ(expected_of_ten({true, six, options}), 8u) << six << options;
  }
}

TEST(NextSegment, IsNotExpectedOfFlowsWithManyOptions) {
  EXPECT_EQ(expected_of_ten({true, true, 16}), 0u);
  EXPECT_EQ(expected_of_ten({true, false, 36}), 0u);
  EXPECT_EQ(expected_of_ten({true, false, 32}), 8u);
}

TEST(NextSegment, IsNotExpectedWhereChecksumsAreWhole) {
  Flow flow(true, false);
  flow.spec.checksum = Checksum::kWhole;
  EXPECT_EQ(expected_of_ten(flow), 0u);
}

TEST(NextSegment, MayKeepAnIdThatMeansNothing) {
  Flow flow(false, false);
  flow.spec.never_cut = true;
  EXPECT_EQ(expected_of_ten(flow), 8u);
  flow.counts = false;
  EXPECT_EQ(expected_of_ten(flow), 8u);
}

TEST(NextSegment, IsExpectedAgainAfterIdsAndSequenceNumbersHaveWrapped) {
  Flow flow(true, false);
  flow.spec.id = 0xfffa;
  // The first two, and one where the id wraps.
  EXPECT_EQ(expected_of_ten(flow), 7u);
  for (const bool six : {false, true}) {
    Flow wrapping(true, six);
    wrapping.spec.sequence = 0xffffffff - 450;
    EXPECT_EQ(expected_of_ten(wrapping), 8u) << six;
  }
}

TEST(NextSegment, StopsWhereAFrameIsFull) {
  Flow flow(false, false);
  Merging merging;
  for (int i = 0; i < 70; ++i)
    merging.add(arrival(flow.next()));
  merging.finish_turn();
  EXPECT_EQ(merging.complaint(), "");
  EXPECT_EQ(merging.counts(), (Counts{64, 6}));
}

TEST(NextSegment, IsRefusedWithAnyOtherBitInItsHeaders) {
  for (const bool is_tcp : {false, true}) {
    for (const bool six : {false, true}) {
      const Flow start(is_tcp, six);
      const std::size_t headers = start.spec.headers();
      for (std::size_t bit = 0; bit < 8 * headers; ++bit) {
        Flow flow = start;
        Merging merging;
        for (int i = 0; i < 3; ++i)
          merging.add(arrival(flow.next()));
        ASSERT_EQ(merging.extended(), 1u);
        Arrival other = arrival(flow.next());
        other.packet[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        merging.add(other);
        EXPECT_EQ(merging.extended(), 1u) << "bit " << bit;
        merging.finish_turn();
        // Of a partial checksum nobody can tell whether it is right.
        const std::size_t sum = flow.spec.transport_start() + (is_tcp ? 16 : 6);
        if (bit / 8 - sum < 2) continue;
        EXPECT_EQ(merging.complaint(), "") << "bit " << bit;
      }
    }
  }
}

TEST(NextSegment, IsNotTheShorterOrLongerPacketWithTheSameHeaders) {
  Flow flow(true, false);
  NextSegment next;
  const PacketSpec spec = flow.next();
  const Bytes packet = build(spec);
  const auto inner = parse_inner(packet);
  next.follow(packet.data(), parse_transport(packet, *inner), true);
  Bytes following = build(flow.next());
  following[0] |= kPartialBit;
  const auto size = static_cast<std::uint32_t>(following.size());
  EXPECT_TRUE(next.is(following.data(), size));
  EXPECT_FALSE(next.is(following.data(), size - 1));
  EXPECT_FALSE(next.is(following.data(), size + 1));
  next.forget();
  EXPECT_FALSE(next.is(following.data(), size));
  EXPECT_FALSE(next.is(following.data(), 0));
}

class ExpectedInTheEngine : public testing::Test {
 protected:
  // Carol is another peer of bob's.
  ExpectedInTheEngine() {
    const PeerIndex bob_at_carol = *carol.table.add_peer();
    const PeerIndex carol_at_bob = *pair.bob.table.add_peer();
    const auto key = Secret<32>::random();
    const ReceiverIndex here = *carol.table.reserve_session();
    const ReceiverIndex there = *pair.bob.table.reserve_session();
    const auto publish = [&](EngineNode& node, PeerIndex peer, ReceiverIndex local,
                             ReceiverIndex remote, const Endpoint& path) {
      node.table.publish_session({.peer = peer,
                                  .local = local,
                                  .remote = static_cast<std::uint32_t>(remote),
                                  .suite = AeadSuite::kAes256Gcm,
                                  .partial_checksums = true,
                                  .send_key = key,
                                  .receive_key = key,
                                  .send_until = node.now + std::chrono::hours(1),
                                  .receive_until = node.now + std::chrono::hours(1)});
      node.table.use_session(peer, local);
      node.table.set_path(peer, {path, 1452});
    };
    publish(carol, bob_at_carol, here, there, pair.bob.at);
    publish(pair.bob, carol_at_bob, there, here, carol.at);
    EXPECT_TRUE(carol.table.add_route(Prefix::host(pair.bob4), bob_at_carol));
    EXPECT_TRUE(pair.bob.table.add_route(Prefix::host(ip("10.0.0.3")), carol_at_bob));
  }
  static Datagram sealed_by(EngineNode& node, const PacketSpec& spec) {
    node.from_host(marked_frame(spec));
    node.turn();
    const auto made = node.to_wire();
    EXPECT_EQ(made.size(), 1u);
    return made.at(0);
  }

  EnginePair pair{{.partial_checksums = true}};
  EngineNode carol{endpoint("192.0.2.3:4545")};
  Flow flow{false, false};
};

TEST_F(ExpectedInTheEngine, ComesFromThePeerWhoseFlowItIsAndNoOther) {
  std::vector<Datagram> wire;
  for (int i = 0; i < 3; ++i)
    wire.push_back(sealed_by(pair.alice, flow.next()));
  // To the byte what alice would send next, but in carol's session.
  wire.push_back(sealed_by(carol, flow.next()));
  for (std::size_t i = 0; i < wire.size(); ++i)
    pair.bob.from_wire(wire[i].bytes, i < 3 ? pair.alice.at : carol.at);
  pair.bob.turn();
  EXPECT_EQ(pair.bob.count(Fate::kDropSourceNotAllowed), 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 3u);
  EXPECT_EQ(pair.bob.to_host().size(), 1u);
}

TEST_F(ExpectedInTheEngine, IsCountedAsAnyOther) {
  std::size_t bytes = 0;
  for (int i = 0; i < 20; ++i) {
    const PacketSpec spec = flow.next();
    bytes += spec.headers() + spec.payload.size();
    pair.bob.from_wire(sealed_by(pair.alice, spec).bytes, pair.alice.at);
  }
  pair.bob.turn();
  const PeerCounters received = pair.bob.table.counters(pair.alice_at_bob.peer);
  EXPECT_EQ(received.rx_packets, 20u);
  EXPECT_EQ(received.rx_bytes, bytes);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 20u);
  EXPECT_EQ(pair.bob.to_host().size(), 1u);
}

TEST_F(ExpectedInTheEngine, TellsOfAnotherPathAllTheSame) {
  const Endpoint moved = endpoint("198.51.100.7:9");
  for (int i = 0; i < 6; ++i)
    pair.bob.from_wire(sealed_by(pair.alice, flow.next()).bytes, i < 4 ? pair.alice.at : moved);
  pair.bob.turn();
  const auto told = pair.bob.punts(PuntKind::kPathChanged);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].punt.source, moved);
  EXPECT_EQ(pair.bob.to_host().size(), 1u);
}

}  // namespace
}  // namespace ipop::engine
