// Lanes with UDP ports of their own: found out where the far end hears them, left alone where it
// does not, and found out again where the path is another one.
#include <gtest/gtest.h>

#include "tests/sim/two_nodes.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

// Of four lanes, all but the first.
constexpr std::uint32_t kAll = 0b1110;

NodeOptions with_lanes(NodeOptions node) {
  node.lanes = {.sent = 4, .taken = 4};
  return node;
}

engine::LanePorts lanes_at(Node& node) {
  return node.engine.lane_ports(node.engine.last_session.peer);
}

std::size_t handshakes(Node& node) {
  return node.overlay->counters().handshakes_completed;
}

struct TwoWithLanes {
  World world;
  Node& a = world.add(with_lanes(alice()));
  Node& b = world.add(with_lanes(bob()));

  void meet() {
    const std::uint32_t number = a.send(kBob);
    ASSERT_TRUE(world.run_until([&] { return b.received(number); }, 2s));
  }
  // Every tenth of a second, both ways.
  void talk_for(Duration time) {
    for (const Instant end = world.now + time; world.now < end;) {
      a.send(kBob);
      b.send(kAlice);
      world.run_for(100ms);
    }
  }
};

TEST(LanePorts, AreUsedOnceTheFarEndHasHeardThem) {
  TwoWithLanes two;
  two.meet();
  EXPECT_EQ(lanes_at(two.a).ours, 0u);
  two.talk_for(1s);
  for (Node* const node : {&two.a, &two.b})
    EXPECT_EQ(lanes_at(*node), (engine::LanePorts{.ours = kAll, .theirs = kAll}));
}

TEST(LanePorts, BeginWithANewSessionAndNoMore) {
  TwoWithLanes two;
  two.meet();
  two.talk_for(5s);
  const std::size_t once = handshakes(two.a) + handshakes(two.b);
  EXPECT_GE(once, 2u) << "which lcore opens for a lane was settled before";
  two.talk_for(60s);
  EXPECT_EQ(handshakes(two.a) + handshakes(two.b), once);
  EXPECT_EQ(lanes_at(two.a).ours, kAll);
}

TEST(LanePorts, AreNotAskedForWhereNothingIsSent) {
  TwoWithLanes two;
  two.meet();
  two.talk_for(5s);
  two.world.run_for(20s);
  const std::uint64_t before = two.world.datagrams;
  two.world.run_for(20s);
  EXPECT_LT(two.world.datagrams - before, 12u);
}

TEST(LanePorts, AreLeftAloneBehindAFirewallThatKnowsThePathAlone) {
  World world;
  Nat& nat = world.add_nat("198.51.100.1", By::kNothing, By::kEndpoint);
  NodeOptions behind = with_lanes(bob());
  behind.underlay = {"192.168.0.2/24"};
  behind.nat = &nat;
  Node& a = world.add(with_lanes(alice()));
  Node& b = world.add(behind);
  const std::uint32_t number = b.send(kAlice);
  ASSERT_TRUE(world.run_until([&] { return a.received(number); }, 4s));
  for (int i = 0; i < 50; ++i) {
    a.send(kBob);
    b.send(kAlice);
    world.run_for(100ms);
  }
  EXPECT_EQ(lanes_at(a).ours, 0u) << "bob's firewall keeps them back";
  EXPECT_EQ(lanes_at(b), (engine::LanePorts{.ours = kAll, .theirs = 0})) << "alice has none";
  EXPECT_TRUE(a.peer(kBob)->endpoint.starts_with(nat.external().to_string() + ":"));
}

TEST(LanePorts, GoBackToThePathWhenTheyAreNoLongerHeard) {
  TwoWithLanes two;
  two.meet();
  two.talk_for(2s);
  ASSERT_EQ(lanes_at(two.a).ours, kAll);
  two.world.loses = [&](const Node& from, const Endpoint& to, ByteView) {
    return &from == &two.a && to.socket == engine::lane_socket(2);
  };
  two.talk_for(15s);
  EXPECT_EQ(lanes_at(two.a).ours, kAll & ~0b100u);
  EXPECT_EQ(lanes_at(two.b).ours, kAll);
  two.world.loses = nullptr;
  two.talk_for(75s);
  EXPECT_EQ(lanes_at(two.a).ours, kAll);
}

TEST(LanePorts, AreFoundOutAgainWhenThePathMoves) {
  TwoWithLanes two;
  two.meet();
  two.talk_for(2s);
  two.a.move_to("10.0.9.9/24");
  two.world.loses = [](const Node&, const Endpoint& to, ByteView) { return to.socket != 0; };
  two.talk_for(5s);
  ASSERT_EQ(two.b.peer(kAlice)->endpoint, two.a.endpoint().to_string());
  EXPECT_EQ(lanes_at(two.b).ours, 0u);
  two.world.loses = nullptr;
  two.talk_for(70s);
  EXPECT_EQ(lanes_at(two.a).ours, kAll);
  EXPECT_EQ(lanes_at(two.b).ours, kAll);
}

}  // namespace
}  // namespace ipop::sim
