// Several nodes that claim one address: who keeps it, and who is told.
#include <gtest/gtest.h>

#include "tests/sim/two_nodes.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

TEST(Claims, RefusesTheSecondNodeWithAnAddressAndBothSay) {
  World world;
  Node& a = world.add(alice());
  world.run_for(2s);
  NodeOptions thief = bob();
  thief.name = "thief";
  thief.address = "192.168.10.10/24";
  Node& t = world.add(thief);
  EXPECT_TRUE(world.run_until([&] { return !t.fatal.empty(); }, 3s));
  EXPECT_TRUE(world.run_until([&] { return !a.status().warnings.empty(); }, 3s));
  ASSERT_FALSE(t.fatal.empty());
  EXPECT_NE(t.fatal.front().find("192.168.10.10"), std::string::npos);
  EXPECT_NE(t.fatal.front().find("alice"), std::string::npos);
  EXPECT_TRUE(a.fatal.empty());
}

TEST(Claims, TakesAnAddressWhoseHolderIsGone) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  world.kill(b);
  b.underlay.clear();
  world.run_for(1min);
  NodeOptions heir = bob();
  heir.name = "heir";
  Node& h = world.add(heir);
  world.run_for(20s);
  EXPECT_TRUE(h.fatal.empty());
  EXPECT_TRUE(world.run_until(
      [&] {
        const std::uint32_t number = a.send(kBob);
        world.run_for(200ms);
        return h.received(number);
      },
      10s));
}

TEST(Claims, DoesNotEndARunningNodeForALaterClaimThatNamesAnEarlierTime) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(2min);
  const std::uint32_t first = b.send(kAlice);
  ASSERT_TRUE(world.run_until([&] { return a.received(first); }, 1s));
  NodeOptions liar = alice();
  liar.name = "liar";
  liar.underlay = {"10.0.9.1/24"};
  liar.claimed_at = WallTime(24h * 365 * 20);
  Node& l = world.add(liar);
  l.send(kBob);
  world.run_for(3min);
  EXPECT_TRUE(a.fatal.empty());
  EXPECT_FALSE(a.status().warnings.empty());
  const std::uint32_t number = b.send(kAlice);
  EXPECT_TRUE(world.run_until([&] { return a.received(number); }, 1s));
  EXPECT_FALSE(l.received(number));
}

TEST(Claims, KeepsAnAddressWithAHolderThatIsOnlyIdle) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  world.run_for(100s);  // idle, but with a session
  NodeOptions thief = bob();
  thief.name = "thief";
  thief.underlay = {"10.0.9.1/24"};
  Node& t = world.add(thief);
  t.send(kAlice);
  world.run_for(10s);
  const std::uint32_t number = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 1s));
  EXPECT_FALSE(t.received(number));
}

}  // namespace
}  // namespace ipop::sim
