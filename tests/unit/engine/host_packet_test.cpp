// A frame means the same behind one that it resembles as alone.
#include "engine/path/host_packet.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

class HostPacket : public testing::Test {
 protected:
  struct Outcome {
    Fate fate{};
    IpAddress destination;
    Bytes packet;
    std::uint64_t marks = 0;

    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  void TearDown() override { free_all(); }

  Outcome unwrap(HostPackets& packets, const MarkedFrame& frame) {
    rte_mbuf* const made = rte_pktmbuf_alloc(node.pool.get());
    std::memcpy(rte_pktmbuf_append(made, static_cast<std::uint16_t>(frame.bytes.size())),
                frame.bytes.data(), frame.bytes.size());
    made->l3_len = frame.marks.transport_start & 0x1ff;
    made->ol_flags = frame.marks.is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
    kept_.push_back(made);
    const Fate fate = packets.unwrap(made);
    if (fate != Fate::kSent) return {.fate = fate};
    const auto* const at = rte_pktmbuf_mtod(made, const std::uint8_t*);
    return {fate, packets.destination(), Bytes(at, at + made->data_len),
            made->ol_flags & kPartialChecksum};
  }
  void free_all() {
    rte_pktmbuf_free_bulk(kept_.data(), static_cast<unsigned>(kept_.size()));
    kept_.clear();
  }

  static MarkedFrame frame(bool is_tcp, bool six) {
    PacketSpec spec{.is_tcp = is_tcp, .payload = Bytes(30, 1), .checksum = Checksum::kPartial};
    if (six) {
      spec.from = ip("fd00::1");
      spec.to = ip("fd00::2");
    }
    return marked_frame(spec);
  }

  EngineNode node{endpoint("192.0.2.1:4545")};

 private:
  std::vector<rte_mbuf*> kept_;
};

TEST_F(HostPacket, IsKnownToGoWhereTheOneBeforeItWent) {
  for (const bool is_tcp : {false, true}) {
    for (const bool six : {false, true}) {
      HostPackets packets;
      packets.begin_burst();
      const Outcome first = unwrap(packets, frame(is_tcp, six));
      ASSERT_EQ(first.fate, Fate::kSent);
      EXPECT_FALSE(packets.same_destination());
      EXPECT_EQ(unwrap(packets, frame(is_tcp, six)), first);
      EXPECT_TRUE(packets.same_destination());
      EXPECT_EQ(unwrap(packets, frame(is_tcp, !six)).fate, Fate::kSent);
      EXPECT_FALSE(packets.same_destination());
      free_all();
      packets.begin_burst();
      EXPECT_EQ(unwrap(packets, frame(is_tcp, !six)).fate, Fate::kSent);
      EXPECT_FALSE(packets.same_destination()) << "what came in another burst is gone";
      free_all();
    }
  }
}

TEST_F(HostPacket, MeansTheSameBehindOneThatDiffersInABit) {
  int different_destinations = 0;
  for (const bool is_tcp : {false, true}) {
    for (const bool six : {false, true}) {
      const MarkedFrame good = frame(is_tcp, six);
      for (std::size_t bit = 0; bit < 8 * good.bytes.size(); ++bit) {
        MarkedFrame other = good;
        other.bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        HostPackets alone;
        alone.begin_burst();
        const Outcome expected = unwrap(alone, other);
        HostPackets packets;
        packets.begin_burst();
        ASSERT_EQ(unwrap(packets, good).fate, Fate::kSent);
        const IpAddress before = packets.destination();
        EXPECT_EQ(unwrap(packets, other), expected) << is_tcp << six << " bit " << bit;
        if (expected.fate == Fate::kSent && expected.destination != before) {
          ++different_destinations;
          EXPECT_FALSE(packets.same_destination()) << is_tcp << six << " bit " << bit;
        }
        // And what comes behind that one.
        EXPECT_EQ(unwrap(packets, good).destination, before);
        free_all();
      }
    }
  }
  EXPECT_GT(different_destinations, 200);
}

// Nobody was asked where the dropped one goes, so what it resembles must be.
TEST_F(HostPacket, DoesNotGoWithTheLastGoodOneBehindADroppedOne) {
  MarkedFrame marked_wrongly = frame(false, true);
  marked_wrongly.marks.transport_start = 400;
  HostPackets packets;
  packets.begin_burst();
  ASSERT_EQ(unwrap(packets, frame(false, false)).fate, Fate::kSent);
  ASSERT_EQ(unwrap(packets, marked_wrongly).fate, Fate::kDropHostMalformed);
  ASSERT_EQ(unwrap(packets, frame(false, true)).fate, Fate::kSent);
  EXPECT_FALSE(packets.same_destination());
}

TEST_F(HostPacket, NeverReachesThePeerOfAnEarlierOneInTheBurst) {
  EnginePair pair({.partial_checksums = true});
  PacketSpec elsewhere{.to = ip("10.0.0.77"),
                       .is_tcp = false,
                       .payload = Bytes(30, 1),
                       .checksum = Checksum::kPartial};
  PacketSpec to_bob = elsewhere;
  to_bob.to = pair.bob4;
  MarkedFrame marked_wrongly = marked_frame(elsewhere);
  marked_wrongly.marks.transport_start = 400;
  pair.alice.from_host(marked_frame(to_bob));
  pair.alice.from_host(marked_wrongly);
  pair.alice.from_host(marked_frame(elsewhere));
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kDropHostMalformed), 1u);
  EXPECT_EQ(pair.alice.to_wire().size(), 1u) << "a packet went to a peer it is not for";
  EXPECT_EQ(pair.alice.counters().staged, 1u);
}

TEST_F(HostPacket, IsMalformedWhenCutWhereverThatIs) {
  for (const bool six : {false, true}) {
    const MarkedFrame good = frame(false, six);
    for (std::size_t size = 0; size < good.bytes.size(); ++size) {
      MarkedFrame cut = good;
      cut.bytes.resize(size);
      HostPackets packets;
      packets.begin_burst();
      ASSERT_EQ(unwrap(packets, good).fate, Fate::kSent);
      EXPECT_EQ(unwrap(packets, cut).fate, Fate::kDropHostMalformed) << size;
      free_all();
    }
  }
}

}  // namespace
}  // namespace ipop::engine
