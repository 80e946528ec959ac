// Nodes that reach each other only through others, or at first: how soon, what is lost on the way
// to a direct path, and what happens when a relay goes.
#include <algorithm>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;

// Of two nodes, what one does depends on the order of their ids: so several of each pair, but for
// sanitizers, which look for something else.
constexpr int kRuns = IPOP_MANY_NODES < 200 ? 1 : 5;

// A packet each way every `step`, for `time`; returns how many did not arrive.
unsigned lost_in(NatWorld& in, Node& a, Node& b, Duration time, Duration step = 20ms) {
  std::vector<std::pair<Node*, std::uint32_t>> sent;
  for (const Instant end = in.world.now + time; in.world.now < end;) {
    sent.emplace_back(&b, a.send(kBob));
    sent.emplace_back(&a, b.send(kAlice));
    in.world.run_for(step);
  }
  in.world.run_for(2s);
  return static_cast<unsigned>(std::ranges::count_if(
      sent, [](const auto& each) { return !each.first->received(each.second); }));
}

TEST(Relay, IsNamedAndTheReasonGiven) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  in.world.run_for(3s);
  const overlay::PeerStatus peer = *a.peer(kBob);
  EXPECT_EQ(peer.path, PathKind::kRelay);
  ASSERT_EQ(peer.relay_via.size(), 1u);
  EXPECT_TRUE(peer.relay_via[0] == "first" || peer.relay_via[0] == "second");
  EXPECT_TRUE(peer.why.starts_with("none of its ")) << peer.why;
  EXPECT_NE(peer.why.find("maps each destination to another port"), std::string::npos) << peer.why;
  EXPECT_EQ(a.status().relay.homes.size(), 2u);
  EXPECT_FALSE(a.status().relay.serves);
  const auto& serving = in.first.status().relay;
  EXPECT_TRUE(serving.serves);
  EXPECT_GT(in.first.status().relay.packets + in.second.status().relay.packets, 0u);
}

TEST(Relay, CarriesTheFirstPacketWithinASecond) {
  NatWorld in;
  Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
  Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
  in.world.run_for(2s);
  const Instant sent = in.world.now;
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  EXPECT_LT(in.world.now - sent, 900ms);
}

TEST(Relay, IntroducesNodesToEachOtherWhenTheDirectoryIsGone) {
  NatWorld in;
  Node& a = in.add(alice(), kPortRestricted, "203.0.113.1");
  Node& b = in.add(bob(), kPortRestricted, "203.0.114.1");
  in.world.run_for(2s);
  for (const auto& node : in.world.nodes)
    node->directory.reachable = false;
  const Instant sent = in.world.now;
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  EXPECT_LT(in.world.now - sent, 600ms);
  in.world.run_for(3s);  // their endpoints they have told each other
  EXPECT_EQ(a.peer(kBob)->path, PathKind::kDirect);
  EXPECT_EQ(b.peer(kAlice)->path, PathKind::kDirect);
}

TEST(Relay, IsLeftForADirectPathBetweenAllKindsOfNat) {
  for (const NatKind& left : kKinds) {
    for (const NatKind& right : kKinds) {
      const bool hard = (left.mapping == By::kEndpoint && right.filtering == By::kEndpoint) ||
                        (right.mapping == By::kEndpoint && left.filtering == By::kEndpoint);
      for (int i = 0; i < kRuns && !hard; ++i) {
        NatWorld in;
        NodeOptions options[] = {alice(), bob()};
        for (NodeOptions& each : options)
          each.relay.serve = overlay::RelayServe::kNo;  // else one may be the other's relay
        Node& a = in.add(options[0], left, "203.0.113.1");
        Node& b = in.add(options[1], right, "203.0.114.1");
        in.world.run_for(2s);
        in.world.loses = [&](const Node& from, const Endpoint& to, ByteView) {
          return to.address != in.first.endpoint().address &&
                 to.address != in.second.endpoint().address && &from != &in.first &&
                 &from != &in.second;
        };
        const std::uint32_t first = a.send(kBob);
        ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 2s)) << left.name;
        EXPECT_EQ(a.peer(kBob)->path, PathKind::kRelay);
        in.world.loses = {};
        EXPECT_EQ(lost_in(in, a, b, 5s, 100ms), 0u) << left.name << " to " << right.name;
        EXPECT_EQ(a.peer(kBob)->path, PathKind::kDirect) << left.name << " to " << right.name;
        EXPECT_EQ(b.peer(kAlice)->path, PathKind::kDirect) << left.name << " to " << right.name;
      }
    }
  }
}

TEST(Relay, DoesNotIntroduceWhomItDoesNotKnow) {
  NatWorld in;
  Node& a = in.add(alice(), kPortRestricted, "203.0.113.1");
  in.world.run_for(2s);
  const std::uint32_t packet = a.send("192.168.10.77");
  EXPECT_FALSE(in.world.run_until([&] { return !a.engine.rejected.empty(); }, 2s));
  EXPECT_TRUE(in.world.run_until([&] { return !a.engine.rejected.empty(); }, 2s));
  EXPECT_FALSE(a.received(packet));
}

TEST(Relay, IsLeftForADirectPathWithoutALoss) {
  NatWorld in;
  Node& a = in.add(alice(), kPortRestricted, "203.0.113.1");
  Node& b = in.add(bob(), kPortRestricted, "203.0.114.1");
  const auto between = [&](const Node& from, const Endpoint& to) {
    return (&from == &a && to.address == in.world.nats[1]->external()) ||
           (&from == &b && to.address == in.world.nats[0]->external());
  };
  in.world.loses = [&](const Node& from, const Endpoint& to, ByteView) {
    return between(from, to);
  };
  in.world.run_for(1s);
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  EXPECT_EQ(lost_in(in, a, b, 1s), 0u);
  EXPECT_EQ(a.peer(kBob)->path, PathKind::kRelay);
  in.world.loses = {};
  EXPECT_EQ(lost_in(in, a, b, 20s), 0u);
  EXPECT_EQ(a.peer(kBob)->path, PathKind::kDirect);
  EXPECT_EQ(b.peer(kAlice)->path, PathKind::kDirect);
}

TEST(Relay, ThatDiesIsReplacedWithinASecond) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  EXPECT_EQ(lost_in(in, a, b, 4s), 0u);
  Node& used = a.peer(kBob)->relay_via.at(0) == "first" ? in.first : in.second;
  in.world.kill(used);
  const Instant died = in.world.now;
  for (bool heard = false; !heard;) {
    const std::uint32_t there = a.send(kBob);
    const std::uint32_t back = b.send(kAlice);
    in.world.run_for(120ms);
    heard = b.received(there) && a.received(back);
    ASSERT_LT(in.world.now - died, 1500ms);
  }
  EXPECT_NE(a.peer(kBob)->relay_via.at(0), used.options.name);
}

TEST(Relay, ThatSaysGoodbyeCostsLittle) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  EXPECT_EQ(lost_in(in, a, b, 4s), 0u);
  Node& used = a.peer(kBob)->relay_via.at(0) == "first" ? in.first : in.second;
  used.overlay->stop(in.world.clock());
  in.world.run_for(30ms);
  in.world.kill(used);
  EXPECT_LE(lost_in(in, a, b, 3s), 4u);
  EXPECT_EQ(a.peer(kBob)->path, PathKind::kRelay);
}

TEST(Relay, IsTheSameForBothEndsAfterAWhile) {
  for (int i = 0; i < kRuns; ++i) {
    NatWorld in;
    Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
    Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
    in.world.run_for(2s);
    a.send(kBob);
    b.send(kAlice);  // both at once: each may end up on a circuit of its own
    in.world.run_for(3ms);
    EXPECT_EQ(lost_in(in, a, b, 3s, 10ms), 0u);
    const unsigned before = a.engine.path_changes + b.engine.path_changes;
    EXPECT_EQ(lost_in(in, a, b, 5s, 10ms), 0u);
    EXPECT_LE(a.engine.path_changes + b.engine.path_changes, before + 2);
  }
}

TEST(Relay, LeavesRoomForTheLongestWay) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  // 1,500 bytes less IPv6 and UDP, as the next part of the way may have it, the relay's header, the
  // header of data and the tag.
  EXPECT_EQ(a.peer(kBob)->mtu, 1500 - 40 - 8 - 8 - 16 - 16);
}

// Bob's machine crashes and comes back; his relays still have the circuits of before.
TEST(Relay, IsAskedAnewWhenTheFarEndForgotEverything) {
  NatWorld in;
  Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
  const std::filesystem::path state =
      std::filesystem::temp_directory_path() / "ipop-sim-relay-restart";
  std::filesystem::create_directories(state);
  const auto identity = overlay::Identity::generate();
  NodeOptions options = bob();
  options.identity = &identity;
  options.state = state;
  options.claimed_at = in.world.clock().wall;
  Node& b = in.add(options, kSymmetric, "203.0.114.1");
  in.world.run_for(2s);
  EXPECT_EQ(lost_in(in, a, b, 2s), 0u);
  in.world.kill(b);
  options.nat = nullptr;
  Node& again = in.add(options, kSymmetric, "203.0.117.1");
  in.world.run_for(1s);
  a.directory.reachable = again.directory.reachable = false;
  const Instant back = in.world.now;
  for (bool heard = false; !heard;) {
    const std::uint32_t there = a.send(kBob);
    in.world.run_for(100ms);
    heard = again.received(there);
    ASSERT_LT(in.world.now - back, 6s);
  }
  std::filesystem::remove_all(state);
}

// Alice's firewall lets her reach the first relay alone, Bob's the second: neither has both.
TEST(Relay, ChainsReachWhereNoSingleOneDoes) {
  NatWorld in;
  Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
  Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
  in.world.loses = [&](const Node& from, const Endpoint& to, ByteView) {
    return (&from == &a && to != in.first.endpoint()) ||
           (&from == &b && to != in.second.endpoint());
  };
  in.world.run_for(3s);
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 2s));
  EXPECT_EQ(lost_in(in, a, b, 5s), 0u);
  EXPECT_EQ(a.peer(kBob)->relay_via, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(b.peer(kAlice)->relay_via, (std::vector<std::string>{"second", "first"}));
  EXPECT_GT(in.first.engine.relayed, 0u);
  EXPECT_GT(in.second.engine.relayed, 0u);
}

TEST(Relay, JoinsIPv4AndIPv6) {
  NatWorld in;
  Node& both = in.world.add({.name = "both",
                             .address = "192.168.10.103/24",
                             .underlay = {"198.51.102.1/24", "2001:db8:1::1/64"}});
  NodeOptions left = alice();
  left.underlay = {"203.0.113.1/24"};
  left.stun = {in.first.endpoint(), in.second.endpoint()};
  NodeOptions right = bob();
  right.underlay = {"2001:db8:2::1/64"};
  Node& a = in.world.add(left);
  Node& b = in.world.add(right);
  in.world.run_for(3s);
  const std::uint32_t there = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(there); }, 2s));
  const std::uint32_t back = b.send(kAlice);
  ASSERT_TRUE(in.world.run_until([&] { return a.received(back); }, 500ms));
  // Perhaps over two of them at first.
  const std::vector<std::string> shortest{"both"};
  EXPECT_TRUE(in.world.run_until([&] { return a.peer(kBob)->relay_via == shortest; }, 10s));
  EXPECT_GT(both.engine.relayed, 0u);
}

// Their records stay in the directory after they are gone.
TEST(Relay, IsFoundAmongManyThatAreDead) {
  NatWorld in;
  for (int i = 0; i < 6; ++i) {
    const std::string number = std::to_string(110 + i);
    in.world.add({.name = "dead-" + number,
                  .address = "192.168.10." + number + "/24",
                  .underlay = {"198.51." + number + ".1/24"}});
  }
  in.world.run_for(1s);
  for (const auto& node : in.world.nodes) {
    if (node.get() != &in.first && node.get() != &in.second) in.world.kill(*node);
  }
  const Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
  EXPECT_TRUE(in.world.run_until([&] { return !b.status().relay.homes.empty(); }, 5s));
}

// Its session is good for minutes more; that alone does not make it a relay again.
TEST(Relay, IsNotTakenAgainBeforeItIsHeard) {
  NatWorld in;
  const Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
  const auto homes = [&] { return b.status().relay.homes; };
  ASSERT_TRUE(in.world.run_until([&] { return homes().size() == 2; }, 5s));
  in.world.kill(in.first);
  const std::vector<std::string> second{"second"};
  // A ping every 20 s, four without an answer, half a second apart.
  EXPECT_TRUE(in.world.run_until([&] { return homes() == second; }, 25s));
  in.world.run_for(30s);
  EXPECT_EQ(homes(), second);
}

TEST(Relay, IsFoundAmongManyThatCannotBeReached) {
  NatWorld in;
  for (int i = 0; i < 12; ++i) {  // of IPv4 alone
    const std::string number = std::to_string(110 + i);
    in.world.add({.name = "v4-" + number,
                  .address = "192.168.10." + number + "/24",
                  .underlay = {"198.51." + number + ".1/24"}});
  }
  in.world.add({.name = "both",
                .address = "192.168.10.103/24",
                .underlay = {"198.51.102.1/24", "2001:db8:1::1/64"}});
  in.world.run_for(1s);
  NodeOptions right = bob();
  right.underlay = {"2001:db8:2::1/64"};
  const Node& b = in.world.add(right);
  EXPECT_TRUE(in.world.run_until([&] { return !b.status().relay.homes.empty(); }, 3s));
}

TEST(Relay, EndsAtOnceWhereItIsSwitchedOff) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  EXPECT_EQ(lost_in(in, a, b, 4s), 0u);
  // The one that serves no more: the other takes over.
  Node& used = a.peer(kBob)->relay_via.at(0) == "first" ? in.first : in.second;
  used.overlay->set_relay({.serve = overlay::RelayServe::kNo}, in.world.clock());
  EXPECT_EQ(used.status().relay.circuits, 0u);
  EXPECT_EQ(used.engine.labels(), 0u);
  in.world.run_for(500ms);
  EXPECT_EQ(lost_in(in, a, b, 2s), 0u);
  EXPECT_NE(a.peer(kBob)->relay_via.at(0), used.options.name);
  // The one that does not want to be relayed: nobody reaches it any more.
  a.overlay->set_relay({.use = false}, in.world.clock());
  EXPECT_TRUE(a.status().relay.homes.empty());
  EXPECT_EQ(a.engine.labels(), 0u);
  const std::uint32_t packet = a.send(kBob);
  EXPECT_FALSE(in.world.run_until([&] { return b.received(packet); }, 5s));
  EXPECT_TRUE(a.status().relay.homes.empty());
}

TEST(Relay, IsNotKeptForNobody) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  in.world.run_for(2s);
  EXPECT_GT(in.first.engine.labels() + in.second.engine.labels(), 0u);
  in.world.run_for(10min);  // the session between the two has ended
  EXPECT_EQ(in.first.engine.labels() + in.second.engine.labels(), 0u);
  EXPECT_EQ(a.engine.labels() + b.engine.labels(), 0u);
  // Their relays were kept, so that the next packet finds its way.
  const std::uint32_t later = b.send(kAlice);
  EXPECT_TRUE(in.world.run_until([&] { return a.received(later); }, 1s));
}

TEST(Relay, ServesNobodyWhoIsNotAMember) {
  NatWorld in;
  NodeOptions stranger = bob();
  stranger.network = "another network";
  Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
  Node& s = in.add(stranger, kSymmetric, "203.0.114.1");
  in.world.run_for(5s);
  EXPECT_EQ(a.status().relay.homes.size(), 2u);
  EXPECT_TRUE(s.status().relay.homes.empty());
}

}  // namespace
}  // namespace ipop::sim
