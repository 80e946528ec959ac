// Nodes on one link that find each other there, whatever the directory does.
#include <gtest/gtest.h>
#include <sodium.h>

#include "tests/sim/two_nodes.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

class Lan : public testing::Test {
 protected:
  Node& add(const char* name, int number) {
    const std::string octet = std::to_string(number);
    Node& node = world.add({.name = name,
                            .address = "192.168.10." + octet + "/24",
                            .underlay = {"10.0.1." + octet + "/24"},
                            .lan_discovery = true});
    node.directory.reachable = false;
    node.overlay->set_lan_sender([this, &node](ByteView datagram) {
      if (world.now >= deaf_until) world.multicast(node, {datagram.begin(), datagram.end()});
    });
    return node;
  }

  World world;
  Instant deaf_until{};  // nothing that is said to all arrives
};

TEST_F(Lan, FindsWhoWasThereBeforeAndWhoCameLater) {
  Node& a = add("alice", 10);
  world.run_for(10s);
  Node& b = add("bob", 20);
  world.run_for(1s);
  ASSERT_NE(a.peer(kBob), nullptr);
  ASSERT_NE(b.peer(kAlice), nullptr);
  EXPECT_EQ(a.peer(kBob)->hostname, "bob");
  EXPECT_EQ(a.peer(kBob)->state, overlay::PeerState::kIdle) << "nobody has anything to say yet";
  const std::uint32_t there = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(there); }, 300ms));
  EXPECT_EQ(a.peer(kBob)->path, overlay::PathKind::kLan);
}

// The packet comes before anybody has said who they are.
TEST_F(Lan, AsksForAnAddressThatAPacketIsFor) {
  Node& a = add("alice", 10);
  Node& b = add("bob", 20);
  const std::uint32_t first = a.send(kBob);
  // Sooner than the first introductions, which are 100 ms away.
  EXPECT_TRUE(world.run_until([&] { return a.peer(kBob) != nullptr; }, 50ms));
  EXPECT_TRUE(world.run_until([&] { return b.received(first); }, 300ms));
}

TEST_F(Lan, ReachesNobodyElsewhere) {
  Node& a = add("alice", 10);
  Node& b = world.add({.name = "bob",
                       .address = "192.168.10.20/24",
                       .underlay = {"10.0.2.20/24"},
                       .lan_discovery = true});
  b.directory.reachable = false;
  Node& stranger = world.add({.name = "stranger",
                              .address = "192.168.10.30/24",
                              .underlay = {"10.0.1.30/24"},
                              .network = "another network",
                              .lan_discovery = true});
  world.run_for(10s);
  EXPECT_EQ(a.peer(kBob), nullptr);
  EXPECT_TRUE(a.status().peers.empty());
  EXPECT_TRUE(stranger.status().peers.empty());
  EXPECT_GT(a.overlay->counters().records_refused, 0u);
}

TEST_F(Lan, IsFoundAgainOnAnotherLink) {
  Node& a = add("alice", 10);
  world.run_for(5s);
  Node& b = world.add({.name = "bob",
                       .address = "192.168.10.20/24",
                       .underlay = {"10.0.2.20/24"},
                       .lan_discovery = true});
  b.directory.reachable = false;
  world.run_for(5s);
  ASSERT_EQ(a.peer(kBob), nullptr);
  b.move_to("10.0.1.20/24");
  world.run_for(1s);
  ASSERT_NE(a.peer(kBob), nullptr);
}

TEST_F(Lan, IsQuietHoweverManyThereAre) {
  constexpr int kNodes = 20;
  for (int i = 0; i < kNodes; ++i)
    add(("node" + std::to_string(i)).c_str(), 100 + i);
  world.run_for(30s);
  // Three introductions of each, and an answer every two seconds while there are questions.
  EXPECT_LE(world.multicasts, kNodes * 7u);
  for (const auto& node : world.nodes)
    EXPECT_EQ(node->status().peers.size(), kNodes - 1u);
  const auto before = world.multicasts;
  world.run_for(10min);
  EXPECT_LE(world.multicasts - before, kNodes * 3u);
}

// Wi-Fi loses what is said to all.
TEST_F(Lan, AsksAgainForEachOfSeveralAddresses) {
  Node& a = add("alice", 10);
  std::vector<Node*> others;
  for (int number = 20; number < 24; ++number)
    others.push_back(&add(("node" + std::to_string(number)).c_str(), number));
  deaf_until = world.now + 700ms;
  std::vector<std::uint32_t> packets;
  for (int number = 20; number < 24; ++number)
    packets.push_back(a.send("192.168.10." + std::to_string(number)));
  for (std::size_t i = 0; i < others.size(); ++i)
    EXPECT_TRUE(world.run_until([&] { return others[i]->received(packets[i]); }, 2500ms)) << i;
}

TEST_F(Lan, AsksFiveTimesASecondForHoweverManyAddresses) {
  Node& a = add("alice", 10);
  world.run_for(10s);
  const auto before = world.multicasts;
  for (int i = 0; i < 200; ++i) {
    a.send("192.168.10." + std::to_string(20 + i));
    world.run_for(25ms);
  }
  EXPECT_GE(world.multicasts - before, 20u);
  EXPECT_LE(world.multicasts - before, 27u);
}

// Who is no member can neither wear it out nor keep it from hearing members.
TEST_F(Lan, HearsMembersBesideGarbage) {
  Node& a = add("alice", 10);
  world.run_for(10s);
  std::vector<std::uint8_t> garbage(600);
  const auto shout = [&](unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      randombytes_buf(garbage.data(), garbage.size());
      garbage[0] = 6;
      garbage[1] = garbage[2] = garbage[3] = 0;
      a.overlay->on_lan(garbage, world.clock());
    }
  };
  shout(1500);
  a.overlay->on_lan({}, world.clock());
  EXPECT_EQ(a.overlay->counters().records_refused, overlay::LanDiscovery::kMostUnsealed);
  EXPECT_EQ(a.overlay->counters().lan_limited, 1501 - overlay::LanDiscovery::kMostUnsealed);
  Node& b = add("bob", 20);
  for (int i = 0; i < 60; ++i) {
    shout(40);
    world.run_for(50ms);
  }
  EXPECT_NE(a.peer(kBob), nullptr);
  EXPECT_NE(b.peer(kAlice), nullptr);
}

// Whoever is on the link can say again what a member said once.
TEST_F(Lan, AnswersAQuestionOnceHoweverOftenItIsReplayed) {
  std::vector<std::uint8_t> heard;
  Node& a = add("alice", 10);
  Node& b = add("bob", 20);
  b.overlay->set_lan_sender(
      [&](ByteView datagram) { heard.assign(datagram.begin(), datagram.end()); });
  b.send(kAlice);
  world.run_for(50ms);
  ASSERT_FALSE(heard.empty());
  const std::vector<std::uint8_t> question = heard;
  world.run_for(20s);
  const auto before = world.multicasts;
  for (int i = 0; i < 400; ++i) {
    a.overlay->on_lan(question, world.clock());
    world.run_for(25ms);
  }
  EXPECT_EQ(world.multicasts - before, 1u);
}

}  // namespace
}  // namespace ipop::sim
