// What lcores share of a peer, and what they do not: each seals by lanes of its own, and whatever
// comes to the wrong one is handed to the right one.
#include "engine/table/lane.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/engine/lcores/lcore_group.hpp"

namespace ipop::engine {
namespace {

// Where GroupPair::frame() puts it, behind an Ethernet header.
std::uint8_t mark_in(const Bytes& frame) {
  return frame.at(14 + 28);
}

std::vector<unsigned> marks_in(const std::vector<Bytes>& frames) {
  std::vector<unsigned> marks;
  for (const Bytes& frame : frames)
    marks.push_back(mark_in(frame));
  return marks;
}

TEST(Lanes, GiveEachLcoreCountersOfItsOwn) {
  GroupPair pair(2, 2, 2);
  for (const unsigned lcore : {0u, 1u, 0u, 1u})
    pair.alice.from_host(lcore, GroupPair::frame(7));
  pair.alice.turn_all();
  std::map<unsigned, std::set<std::uint64_t>> counters;
  std::set<unsigned> lanes;
  for (const GroupDatagram& datagram : pair.alice.to_wire()) {
    counters[datagram.lcore].insert(datagram.counter());
    lanes.insert(datagram.lane());
  }
  EXPECT_EQ(lanes, (std::set<unsigned>{0, 1}));
  EXPECT_EQ(counters[0].size(), 2u);
  EXPECT_EQ(counters[1].size(), 2u);
  EXPECT_EQ(pair.alice.counters().handed_over, 0u);
}

TEST(Lanes, ArriveWhereverTheyCome) {
  GroupPair pair(2, 2, 2);
  for (std::uint8_t i = 0; i < 20; ++i)
    pair.alice.from_host(i % 2, GroupPair::frame(7, i));
  pair.alice.turn_all();
  for (const GroupDatagram& datagram : pair.alice.to_wire())
    pair.bob.from_wire(datagram.lane(), datagram.bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.to_host(0).size(), 10u);
  EXPECT_EQ(pair.bob.to_host(1).size(), 10u);
  EXPECT_EQ(pair.bob.counters().handed_over, 0u);
  EXPECT_EQ(pair.bob.table.counters(pair.alice_at_bob).rx_packets, 20u);
  EXPECT_EQ(pair.alice.table.counters(pair.bob_at_alice).tx_packets, 20u);
  EXPECT_EQ(pair.bob.table.activity(pair.bobs_session).rx_packets, 20u);
  EXPECT_EQ(pair.alice.table.activity(pair.alices_session).tx_packets, 20u);
}

// A WireGuard peer's, or an older node's.
TEST(Lanes, OfWhichThereIsOneAreOneLcoresAlone) {
  GroupPair pair(3, 1, 1);
  for (std::uint8_t i = 0; i < 30; ++i)
    pair.alice.from_host(i % 3, GroupPair::frame(static_cast<std::uint16_t>(i % 3), i));
  pair.alice.turn_all();
  const auto sent = pair.alice.to_wire();
  ASSERT_EQ(sent.size(), 30u);
  std::set<std::uint64_t> counters;
  for (const GroupDatagram& datagram : sent) {
    EXPECT_EQ(datagram.lcore, sent.front().lcore);
    counters.insert(datagram.counter());
    pair.bob.from_wire(0, datagram.bytes, pair.alice.at);
  }
  EXPECT_EQ(counters.size(), 30u);
  EXPECT_EQ(*counters.rbegin(), 29u);
  EXPECT_EQ(pair.alice.counters().handed_over, 20u);
  // In each flow, which came by one lcore, the order is as it was.
  pair.bob.turn_all();
  std::map<unsigned, std::vector<unsigned>> flows;
  for (const unsigned mark : marks_in(pair.bob.to_host(0)))
    flows[mark % 3].push_back(mark);
  for (const auto& [flow, marks] : flows) {
    EXPECT_EQ(marks.size(), 10u);
    EXPECT_TRUE(std::ranges::is_sorted(marks)) << flow;
  }
}

// More lcores than lanes: nobody's frames are lost, and two lcores do not seal by one lane.
TEST(Lanes, FewerThanLcoresAreDealtOut) {
  GroupPair pair(5, 1, 2);
  for (std::uint16_t i = 0; i < 100; ++i)
    pair.alice.from_host(i % 5, GroupPair::frame(i));
  pair.alice.turn_all();
  std::map<unsigned, std::set<unsigned>> lcores_of;
  const auto sent = pair.alice.to_wire();
  EXPECT_EQ(sent.size(), 100u);
  for (const GroupDatagram& datagram : sent)
    lcores_of[datagram.lane()].insert(datagram.lcore);
  EXPECT_EQ(lcores_of.size(), 2u);
  for (const auto& [lane, lcores] : lcores_of)
    EXPECT_EQ(lcores.size(), 1u) << lane;
}

TEST(Lanes, BeginWithAnotherLcoreForEachPeer) {
  std::set<unsigned> owners;
  for (std::uint32_t peer = 0; peer < 4; ++peer)
    owners.insert(LaneShare::owner(PeerIndex{peer}, 0, 4));
  EXPECT_EQ(owners.size(), 4u);
}

TEST(Lanes, OfOneLcoreAreChosenByFlow) {
  GroupPair pair(1, 1, 4);
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t flow = 0; flow < 64; ++flow)
      pair.alice.from_host(0, GroupPair::frame(flow, static_cast<std::uint8_t>(flow)));
    pair.alice.turn_all();
  }
  std::map<unsigned, unsigned> packets;
  const auto sent = pair.alice.to_wire();
  for (const GroupDatagram& datagram : sent) {
    ++packets[datagram.lane()];
    pair.bob.from_wire(0, datagram.bytes, pair.alice.at);
  }
  ASSERT_EQ(packets.size(), 4u);
  for (const auto& [lane, count] : packets) {
    EXPECT_GT(count, 64u * 3 / 4 / 3) << lane;
    EXPECT_EQ(count % 3, 0u) << lane << ": a flow changed its lane";
  }
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.to_host(0).size(), 192u);
}

TEST(Lanes, HaveReplayWindowsOfTheirOwn) {
  GroupPair pair(2, 1, 2);
  // One lane is far ahead of the other.
  pair.alice.from_host(0, GroupPair::frame(1));
  pair.alice.turn_all();
  const auto early = pair.alice.to_wire();
  for (int i = 0; i < 300; ++i) {
    for (int j = 0; j < 30; ++j)
      pair.alice.from_host(1, GroupPair::frame(2));
    pair.alice.turn_all();
    for (const GroupDatagram& datagram : pair.alice.to_wire())
      pair.bob.from_wire(0, datagram.bytes, pair.alice.at);
    pair.bob.turn_all();
    (void)pair.bob.to_host(0);
  }
  ASSERT_EQ(early.size(), 1u);
  pair.bob.from_wire(0, early[0].bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.to_host(0).size(), 1u);
  pair.bob.from_wire(0, early[0].bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.to_host(0).size(), 0u);
  EXPECT_EQ(pair.bob.count(Fate::kDropWireReplayed), 1u);
}

TEST(Lanes, ThatTheSessionDoesNotHaveAreUnknown) {
  GroupPair pair(1, 1, 2);
  pair.alice.from_host(0, GroupPair::frame(1));
  pair.alice.turn_all();
  auto sent = pair.alice.to_wire();
  ASSERT_EQ(sent.size(), 1u);
  for (const std::uint8_t lane : {std::uint8_t{2}, std::uint8_t{255}}) {
    sent[0].bytes[15] = lane;
    pair.bob.from_wire(0, sent[0].bytes, pair.alice.at);
  }
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireUnknownSession), 2u);
}

// The lane's number is part of the nonce: what was sealed by one opens by no other.
TEST(Lanes, CannotBeTakenForEachOther) {
  GroupPair pair(1, 1, 2);
  pair.alice.from_host(0, GroupPair::frame(1));
  pair.alice.turn_all();
  auto sent = pair.alice.to_wire();
  ASSERT_EQ(sent.size(), 1u);
  sent[0].bytes[15] ^= 1;
  pair.bob.from_wire(0, sent[0].bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireForged), 1u);
}

TEST(Lanes, AreOpenedByWhoeverGotThemFirst) {
  GroupPair pair(1, 3, 1);
  for (std::uint8_t i = 0; i < 9; ++i)
    pair.alice.from_host(0, GroupPair::frame(1, i));
  pair.alice.turn_all();
  const auto sent = pair.alice.to_wire();
  ASSERT_EQ(sent.size(), 9u);
  // The first three come to lcore 2; then the path leads to another.
  for (std::size_t i = 0; i < sent.size(); ++i) {
    pair.bob.from_wire(i < 3 ? 2 : 0, sent[i].bytes, pair.alice.at);
    pair.bob.turn_all();
  }
  EXPECT_EQ(marks_in(pair.bob.to_host(2)), (std::vector<unsigned>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(pair.bob.counters().handed_over, 6u);
  // A replay is one wherever it comes.
  for (const unsigned lcore : {0u, 1u, 2u})
    pair.bob.from_wire(lcore, sent[4].bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(pair.bob.count(Fate::kDropWireReplayed), 3u);
  // The next session may be another's.
  pair.renew(1);
  pair.alice.from_host(0, GroupPair::frame(1, 42));
  pair.alice.turn_all();
  pair.bob.from_wire(0, pair.alice.to_wire().at(0).bytes, pair.alice.at);
  pair.bob.turn_all();
  EXPECT_EQ(marks_in(pair.bob.to_host(0)), (std::vector<unsigned>{42}));
}

TEST(Lanes, TakeWhatWasStagedInItsOrder) {
  GroupPair pair(2, 1, 1, false);
  const unsigned without = LaneShare::owner(pair.bob_at_alice, 0, 2) == 0 ? 1 : 0;
  for (std::uint8_t i = 0; i < 5; ++i)
    pair.alice.from_host(without, GroupPair::frame(1, i));
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.counters().staged, 5u);
  pair.renew(1);
  // What comes now must not pass by what waits.
  pair.alice.from_host(without, GroupPair::frame(1, 5));
  pair.alice.turn_all();
  for (const GroupDatagram& datagram : pair.alice.to_wire()) {
    EXPECT_NE(datagram.lcore, without);
    pair.bob.from_wire(0, datagram.bytes, pair.alice.at);
  }
  pair.bob.turn_all();
  EXPECT_EQ(marks_in(pair.bob.to_host(0)), (std::vector<unsigned>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(pair.alice.counters().staged, 0u);
}

TEST(Lanes, AnySayThatTheSessionWorks) {
  GroupPair pair(2, 2, 2);
  std::vector<PuntKind> kinds;
  const auto collect = [&](const Punt& punt) { kinds.push_back(punt.kind); };
  pair.alice.from_host(1, GroupPair::frame(1));
  pair.alice.turn_all();
  pair.bob.from_wire(1, pair.alice.to_wire().at(0).bytes, pair.alice.at);
  pair.bob.turn_all();
  pair.bob.punts.drain(100, collect);
  EXPECT_EQ(kinds, (std::vector<PuntKind>{PuntKind::kSessionConfirmed}));
}

}  // namespace
}  // namespace ipop::engine
