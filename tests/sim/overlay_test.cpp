// Whole overlays in a simulated world: how peers find each other, and what they survive.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/two_nodes.hpp"
#include "tests/sim/world.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PeerState;

bool connected(const Node& node, const std::string& address) {
  const overlay::PeerStatus* peer = node.peer(address);
  return peer != nullptr && peer->state == PeerState::kConnected;
}

TEST(Overlay, DeliversTheFirstPacketBetweenNodesThatKnowOnlyTheNetworksName) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  // At 50 ms of round trip, from both nodes' start.
  EXPECT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  const std::uint32_t answer = b.send(kAlice);
  EXPECT_TRUE(world.run_until([&] { return a.received(answer); }, 100ms));
  EXPECT_EQ(a.engine.staged(), 0u);
  EXPECT_EQ(a.peer(kBob)->hostname, "bob");
  EXPECT_EQ(a.peer(kBob)->cipher, "aes-256-gcm");
  EXPECT_TRUE(a.engine.rejected.empty());
}

TEST(Overlay, ConnectsWhenBothEndsOpenAtOnce) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(500ms);
  for (int round = 0; round < 20; ++round) {
    const std::uint32_t to_bob = a.send(kBob);
    const std::uint32_t to_alice = b.send(kAlice);
    EXPECT_TRUE(world.run_until([&] { return b.received(to_bob) && a.received(to_alice); }, 1s))
        << round;
    world.run_for(50ms);
  }
  EXPECT_LE(a.engine.sessions(), 4u);
  EXPECT_LE(b.engine.sessions(), 4u);
}

TEST(Overlay, TellsTheHostWhenNobodyHoldsTheAddress) {
  World world;
  Node& a = world.add(alice());
  a.send("192.168.10.99");
  EXPECT_TRUE(world.run_until([&] { return !a.engine.rejected.empty(); }, 4s));
  EXPECT_EQ(a.engine.rejected.front().to_string(), "192.168.10.99");
  a.send("192.168.11.1");  // outside the network: at once
  EXPECT_TRUE(world.run_until([&] { return a.engine.rejected.size() == 2; }, 10ms));
}

TEST(Overlay, FindsANodeThatStartsLater) {
  World world;
  Node& a = world.add(alice());
  a.send(kBob);
  world.run_for(5s);
  Node& b = world.add(bob());
  world.run_for(1s);
  const std::uint32_t number = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 1s));
}

TEST(Overlay, DoesNotMeetNodesOfAnotherNetwork) {
  World world;
  Node& a = world.add(alice());
  NodeOptions stranger = bob();
  stranger.network = "another network";
  Node& b = world.add(stranger);
  const std::uint32_t number = a.send(kBob);
  world.run_for(5s);
  EXPECT_FALSE(b.received(number));
  EXPECT_EQ(a.engine.rejected.size(), 1u);
  EXPECT_TRUE(b.status().peers.empty());
}

TEST(Overlay, UsesTheSuiteThatBothHave) {
  World world;
  NodeOptions plain = alice();
  plain.suites = 1;  // ChaCha20-Poly1305 only
  Node& a = world.add(plain);
  Node& b = world.add(bob());
  const std::uint32_t number = b.send(kAlice);
  ASSERT_TRUE(world.run_until([&] { return a.received(number); }, 1s));
  EXPECT_EQ(b.peer(kAlice)->cipher, "chacha20-poly1305");
}

TEST(Overlay, SurvivesTheLossOfAnyOneHandshakeDatagram) {
  for (unsigned lost = 0; lost < 8; ++lost) {
    World world;
    Node& a = world.add(alice());
    Node& b = world.add(bob());
    world.run_for(500ms);
    unsigned handshakes = 0;
    world.loses = [&](const Node&, const Endpoint&, ByteView) { return handshakes++ == lost; };
    const std::uint32_t number = a.send(kBob);
    EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 3s)) << lost;
  }
}

TEST(Overlay, KeepsTalkingOverManyRekeys) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(300ms);
  unsigned lost = 0;
  for (int i = 0; i < 3000; ++i) {  // ten minutes
    const std::uint32_t number = a.send(kBob);
    world.run_for(200ms);
    if (i > 10 && !b.received(number)) ++lost;
    b.engine.delivered.clear();
    if (i % 7 == 0) b.send(kAlice);
  }
  EXPECT_EQ(lost, 0u);
  EXPECT_GE(a.overlay->counters().handshakes_completed + b.overlay->counters().handshakes_completed,
            5u);
  EXPECT_LE(a.engine.sessions(), 4u);
}

TEST(Overlay, RenewsTheSessionsOfAPeerThatNeverStopsTalking) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  for (int i = 0; i < 4000; ++i) {  // 400 s, a word every tenth of one
    const overlay::Peer* const peer = b.overlay->peers().by_address(*IpAddress::parse(kAlice));
    ASSERT_TRUE(peer != nullptr && peer->connected()) << "after " << i << " words";
    b.engine.send_sealed(peer->current, overlay::message::encode(overlay::message::Ping{}),
                         std::nullopt);
    a.send(kBob);
    world.run_for(100ms);
    ASSERT_LE(a.peer(kBob)->handshake_age_s, 150u);
  }
}

TEST(Overlay, NoticesADeadPathUnderTrafficAndFindsTheRestartedPeer) {
  TemporaryDirectory state;
  const overlay::Identity identity = overlay::Identity::generate();
  World world;
  NodeOptions bobs = bob();
  bobs.identity = &identity;
  bobs.state = state.path();
  Node& a = world.add(alice());
  Node& b = world.add(bobs);
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  world.run_for(12s);  // known peers are saved
  world.kill(b);
  for (int i = 0; i < 10; ++i) {
    a.send(kBob);
    world.run_for(100ms);
  }
  bobs.underlay = {"10.0.2.1/24"};
  b.underlay.clear();
  Node& again = world.add(bobs);
  bool back = false;
  const Instant restarted = world.now;
  while (!back && world.now - restarted < 2s) {
    const std::uint32_t number = a.send(kBob);
    world.run_for(50ms);
    back = again.received(number);
  }
  EXPECT_TRUE(back);
}

// Whenever the overlay looks, something has just been sent that cannot have been answered yet.
TEST(Overlay, TakesAPeerThatAnswersForAliveUnderBulkLoad) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  world.run_for(1s);
  const auto before = a.overlay->counters().handshakes_completed;
  for (int i = 0; i < 10000; ++i) {
    a.send(kBob);
    if (i % 37 == 0) b.send(kAlice);
    world.run_for(1ms);
  }
  EXPECT_EQ(a.overlay->counters().handshakes_completed, before);
}

TEST(Overlay, FollowsAPeerThatMoves) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  b.move_to("10.0.3.7/24");
  const std::uint32_t from_there = b.send(kAlice);
  ASSERT_TRUE(world.run_until([&] { return a.received(from_there); }, 1s));
  const std::uint32_t back = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(back); }, 1s));
  EXPECT_EQ(a.peer(kBob)->endpoint, "10.0.3.7:4545");
}

TEST(Overlay, MovesToTheLanWhenThereIsOne) {
  World world;
  NodeOptions a_options = alice();
  NodeOptions b_options = bob();
  a_options.underlay = {"10.0.1.1/24", "172.16.5.1/24"};
  b_options.underlay = {"10.0.2.1/24", "172.16.5.2/24"};
  // The LAN loses the handshake, so that the longer way wins at first.
  world.loses = [](const Node&, const Endpoint& to, ByteView datagram) {
    return to.address.to_string().starts_with("172.") && datagram[0] != 4;
  };
  Node& a = world.add(a_options);
  Node& b = world.add(b_options);
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 2s));
  EXPECT_TRUE(world.run_until(
      [&] {
        a.send(kBob);
        b.send(kAlice);
        world.run_for(100ms);
        return a.peer(kBob)->endpoint == "172.16.5.2:4545" &&
               b.peer(kAlice)->endpoint == "172.16.5.1:4545";
      },
      5s));
}

TEST(Overlay, GoesOnWithoutTheDirectory) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  a.directory.reachable = b.directory.reachable = false;
  world.run_for(10min);  // idle: sessions end
  EXPECT_FALSE(connected(a, kBob));
  const std::uint32_t later = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(later); }, 1s));
}

TEST(Overlay, IsSilentWhenThereIsNothingToSay) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  world.run_for(5min);
  const std::uint64_t before = world.datagrams;
  world.run_for(10min);
  EXPECT_EQ(world.datagrams, before);
}

TEST(Overlay, ConnectsStaticPeersWithoutADirectory) {
  World world;
  const overlay::Identity bobs_key = overlay::Identity::generate();
  TemporaryDirectory state;
  NodeOptions b_options = bob();
  b_options.identity = &bobs_key;
  b_options.state = state.path();
  NodeOptions a_options = alice();
  a_options.static_peers = {{.name = "bob",
                             .key = bobs_key.exchange_key(),
                             .endpoint = Endpoint::parse("10.0.2.1:4545").value(),
                             .allowed_ips = {*Prefix::parse("192.168.10.20/32")},
                             .form = overlay::handshake::Form::kIpop,
                             .preshared_key = std::nullopt}};
  Node& b = world.add(b_options);
  Node& a = world.add(a_options);
  a.directory.reachable = b.directory.reachable = false;
  const std::uint32_t number = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 1s));
}

TEST(Overlay, ToleratesGarbageOfEveryKind) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(300ms);
  const Endpoint nowhere = *Endpoint::parse("10.9.9.9:9");
  std::uint32_t seed = 7;
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::uint8_t> garbage(1 + i % 300);
    for (std::uint8_t& byte : garbage) {
      byte = static_cast<std::uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
    }
    constexpr std::uint8_t kinds[] = {1, 2, 3, 4, 0x11, 0x12, 0x80, 0};
    garbage[0] = kinds[i % 8];
    for (std::size_t at = 1; at < 4 && at < garbage.size(); ++at)
      garbage[at] = 0;
    a.engine.from_wire(nowhere, garbage);
    world.run_for(100us);
  }
  for (auto& [key, values] : world.stored) {
    for (int i = 0; i < 20; ++i) {
      values.insert(values.begin(), {world.now + 1min, overlay::DirectoryValue(50 + i * 40, 0xaa)});
    }
  }
  const std::uint32_t number = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 1s));
  EXPECT_EQ(a.status().peers.size(), 1u);
  EXPECT_GT(a.overlay->counters().handshake_bad_mac, 1000u);
  EXPECT_GT(a.overlay->counters().records_refused, 0u);
}

TEST(Overlay, ConnectsAllPairsOfTwentyNodes) {
  World world;
  std::vector<Node*> nodes;
  for (int i = 1; i <= 20; ++i) {
    const std::string n = std::to_string(i);
    nodes.push_back(&world.add({.name = "node" + n,
                                .address = "192.168.10." + n + "/24",
                                .underlay = {"10.0." + n + ".1/24"}}));
  }
  world.run_for(1s);
  std::vector<std::pair<Node*, std::uint32_t>> expected;
  for (Node* from : nodes) {
    for (Node* to : nodes) {
      if (from == to) continue;
      const std::string address = to->options.address.substr(0, to->options.address.find('/'));
      expected.emplace_back(to, from->send(address));
    }
  }
  EXPECT_TRUE(world.run_until(
      [&] {
        return std::ranges::all_of(
            expected, [](const auto& pair) { return pair.first->received(pair.second); });
      },
      3s));
}

TEST(Overlay, KeepsTalkingOverManyRekeysThoughBothEndsOpenedAtOnce) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(500ms);
  a.send(kBob);
  b.send(kAlice);
  world.run_for(1s);
  unsigned lost = 0;
  for (int i = 0; i < 4000; ++i) {  // thirteen minutes
    const std::uint32_t to_bob = a.send(kBob);
    const std::uint32_t to_alice = b.send(kAlice);
    world.run_for(200ms);
    lost += !b.received(to_bob) + !a.received(to_alice);
    a.engine.delivered.clear();
    b.engine.delivered.clear();
  }
  EXPECT_EQ(lost, 0u);
}

TEST(Overlay, AnswersAPingToAPeerThatItHasToFindFirst) {
  World world;
  Node& a = world.add(alice());
  world.add(bob());
  world.run_for(500ms);
  std::optional<overlay::PingResult> result;
  a.overlay->ping(*IpAddress::parse(kBob), world.clock(),
                  [&](const overlay::PingResult& got) { result = got; });
  ASSERT_TRUE(world.run_until([&] { return result.has_value(); }, 5s));
  EXPECT_TRUE(result->answered) << result->error;
}

TEST(Overlay, LetsAPeerFollowWhenItMovesAndOnlyReceives) {
  World world;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 1s));
  b.move_to("10.0.3.7/24");
  world.run_for(100ms);
  const std::uint32_t number = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(number); }, 100ms));
}

TEST(Overlay, StaysQuietWhenAnInvitationArrivesLate) {
  World world;
  world.directory_latency = 3s;
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  world.run_for(10s);
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(world.run_until([&] { return b.received(first); }, 15s));
  world.run_for(30s);
  const std::uint64_t before =
      a.overlay->counters().handshakes_started + b.overlay->counters().handshakes_started;
  world.run_for(60s);
  EXPECT_EQ(a.overlay->counters().handshakes_started + b.overlay->counters().handshakes_started,
            before);
}

}  // namespace
}  // namespace ipop::sim
