// Lanes with UDP ports of their own: by which socket each leaves, and that what comes by such a
// port is not taken for news of where the peer is.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/engine/lcores/lcore_group.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint8_t kLanes = 4;
constexpr std::uint32_t kAllBeyondTheFirst = 0b1110;

// What alice sends of so many flows that every lane has some.
std::vector<GroupDatagram> sent_by(GroupPair& pair) {
  for (std::uint16_t flow = 0; flow < 64; ++flow)
    pair.alice.from_host(0, GroupPair::frame(flow));
  pair.alice.turn_all();
  return pair.alice.to_wire();
}

TEST(LanePorts, AreUsedByTheLanesThatHaveThem) {
  GroupPair pair(1, 1, kLanes);
  pair.alice.table.set_lane_ports(pair.bob_at_alice, {.ours = 0b1010, .theirs = 0});
  std::set<unsigned> seen;
  for (const GroupDatagram& datagram : sent_by(pair)) {
    const unsigned lane = datagram.lane();
    seen.insert(lane);
    Endpoint to = pair.bob.at;
    if (lane == 1 || lane == 3) to.socket = lane_socket(lane);
    EXPECT_EQ(datagram.endpoint, to) << int(lane);
  }
  EXPECT_EQ(seen, (std::set<unsigned>{0, 1, 2, 3}));
}

TEST(LanePorts, EndWithThePath) {
  GroupPair pair(1, 1, kLanes);
  pair.alice.table.set_lane_ports(pair.bob_at_alice, {.ours = kAllBeyondTheFirst, .theirs = 0});
  const Endpoint elsewhere = endpoint("192.0.2.77:4545");
  pair.alice.table.set_path(pair.bob_at_alice, {elsewhere, 1452});
  for (const GroupDatagram& datagram : sent_by(pair))
    EXPECT_EQ(datagram.endpoint, elsewhere) << datagram.lane();
}

// How often bob was told of another path when all of it came from other ports than alice's.
struct Told {
  std::size_t paths = 0;
  std::set<Endpoint> confirmed;
  std::uint64_t delivered = 0;
};

Told deliver_apart(GroupPair& pair, bool apart) {
  if (apart)
    pair.bob.table.set_lane_ports(pair.alice_at_bob, {.ours = 0, .theirs = kAllBeyondTheFirst});
  for (GroupDatagram& datagram : sent_by(pair)) {
    const unsigned lane = datagram.lane();
    if (lane == 0) continue;
    Endpoint from = pair.alice.at;
    from.port = static_cast<std::uint16_t>(50'000 + lane);
    pair.bob.from_wire(0, datagram.bytes, from);
  }
  pair.bob.turn_all();
  Told told;
  pair.bob.punts.drain(1000, [&](const Punt& punt) {
    if (punt.kind == PuntKind::kPathChanged) ++told.paths;
    if (punt.kind == PuntKind::kSessionConfirmed) told.confirmed.insert(punt.source);
  });
  told.delivered = pair.bob.count(Fate::kDelivered);
  return told;
}

TEST(LanePorts, SayNothingOfWhereThePeerIs) {
  GroupPair pair(1, 1, kLanes);
  const Told told = deliver_apart(pair, true);
  EXPECT_EQ(told.paths, 0u);
  EXPECT_EQ(told.confirmed, (std::set<Endpoint>{pair.alice.at}));
  EXPECT_GT(told.delivered, 20u);
}

TEST(LanePorts, AreFollowedUntilThePeerSaidThatTheyAreLanesOwn) {
  GroupPair pair(1, 1, kLanes);
  const Told told = deliver_apart(pair, false);
  EXPECT_GT(told.paths, 0u);
  EXPECT_GT(told.delivered, 20u);
}

}  // namespace
}  // namespace ipop::engine
