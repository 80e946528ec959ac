// Nodes behind NATs of every kind: what they learn of themselves, and whom they reach directly.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;

class NatKinds : public testing::TestWithParam<NatKind> {};

TEST_P(NatKinds, AreToldByTwoServers) {
  NatWorld in;
  Node& a = in.add(alice(), GetParam(), "203.0.113.1");
  EXPECT_EQ(a.status().nat.kind, "unknown");
  in.world.run_for(200ms);
  const overlay::NatStatus nat = a.status().nat;
  const bool symmetric = GetParam().mapping != By::kNothing;
  EXPECT_EQ(nat.kind, !GetParam().is_nat ? "none"
                      : symmetric        ? "endpoint-dependent"
                                         : "endpoint-independent");
  ASSERT_EQ(nat.mapped.size(), !GetParam().is_nat ? 0u : symmetric ? 2u : 1u);
  for (const std::string& endpoint : nat.mapped)
    EXPECT_TRUE(endpoint.starts_with("203.0.113.1:"));
}

INSTANTIATE_TEST_SUITE_P(All, NatKinds, testing::ValuesIn(kKinds),
                         [](const auto& each) { return each.param.name; });

using Pair = std::tuple<NatKind, NatKind>;

class NatPairs : public testing::TestWithParam<Pair> {
 protected:
  // Two that each see only their own NAT's mood cannot meet without help.
  static bool is_hard(const NatKind& a, const NatKind& b) {
    return a.mapping == By::kEndpoint && b.filtering == By::kEndpoint;
  }
};

TEST_P(NatPairs, ReachEachOtherAndDirectlyWhereAHoleCanBePunched) {
  const auto& [left, right] = GetParam();
  NatWorld in;
  Node& a = in.add(alice(), left, "203.0.113.1");
  Node& b = in.add(bob(), right, "203.0.114.1");
  in.world.run_for(1s);
  const std::uint32_t first = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  in.world.run_for(2s);
  const bool direct = !is_hard(left, right) && !is_hard(right, left);
  EXPECT_EQ(a.peer(kBob)->path, direct ? PathKind::kDirect : PathKind::kRelay);
  EXPECT_EQ(b.peer(kAlice)->path, direct ? PathKind::kDirect : PathKind::kRelay);
  const std::uint32_t answer = b.send(kAlice);
  EXPECT_TRUE(in.world.run_until([&] { return a.received(answer); }, 200ms));
  // And go on to: mappings are kept, sessions renewed.
  for (int minute = 0; minute < 6; ++minute) {
    in.world.run_for(1min);
    const std::uint32_t later = minute % 2 == 0 ? a.send(kBob) : b.send(kAlice);
    EXPECT_TRUE(in.world.run_until([&] { return a.received(later) || b.received(later); }, 200ms))
        << "after " << minute + 1 << " minutes";
  }
}

// Under a sanitizer each takes seconds: each kind once at each end.
std::vector<Pair> pairs() {
  constexpr bool kSlow = IPOP_MANY_NODES < 200;
  constexpr std::size_t kCount = std::size(kKinds);
  std::vector<Pair> all;
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = 0; j < kCount; ++j) {
      if (!kSlow || j == (i + 2) % kCount) all.emplace_back(kKinds[i], kKinds[j]);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, NatPairs, testing::ValuesIn(pairs()), [](const auto& each) {
  return std::string(std::get<0>(each.param).name) + "_to_" + std::get<1>(each.param).name;
});

TEST(Nat, KeepsTwoBehindItOnTheirOwnNetwork) {
  NatWorld in;
  Nat& nat = in.world.add_nat("203.0.113.1", By::kNothing, By::kEndpoint);
  NodeOptions left = alice();
  NodeOptions right = bob();
  left.nat = right.nat = &nat;
  left.stun = right.stun = {in.first.endpoint(), in.second.endpoint()};
  left.underlay = {"10.0.1.1/24"};
  right.underlay = {"10.0.1.2/24"};
  Node& a = in.world.add(left);
  Node& b = in.world.add(right);
  in.world.run_for(1s);
  const std::uint32_t first = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  EXPECT_EQ(a.peer(kBob)->endpoint, "10.0.1.2:4545");
}

TEST(Nat, LeavesATraceOfWhatWasTried) {
  NatWorld in;
  const auto [a, b] = in.meet(kPortRestricted, kPortRestricted);
  in.world.run_for(2s);
  auto candidates = a.peer(kBob)->candidates;
  std::erase_if(candidates, [](const auto& each) { return each.kind == "relay"; });
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[0].endpoint, "10.0.2.1:4545");
  EXPECT_EQ(candidates[0].kind, "lan");
  EXPECT_TRUE(candidates[0].outcome.starts_with("no answer to ")) << candidates[0].outcome;
  EXPECT_TRUE(candidates[1].endpoint.starts_with("203.0.114.1:"));
  EXPECT_EQ(candidates[1].kind, "mapped");
  EXPECT_EQ(candidates[1].outcome, "in use");
}

TEST(Nat, ThatForgetsIsNoticed) {
  NatWorld in;
  const auto [a, b] = in.meet(kPortRestricted, kPortRestricted);
  const std::string before = a.status().nat.mapped.at(0);
  in.world.nats[0]->forget();
  EXPECT_TRUE(in.world.run_until(
      [&] {
        const auto mapped = a.status().nat.mapped;
        return mapped.size() == 1 && mapped[0] != before;
      },
      25s));
  in.world.run_for(100ms);
  EXPECT_EQ(a.status().nat.kind, "endpoint-independent");
  const std::uint32_t later = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(later); }, 3s));
}

// A NAT that restarts while both ends talk: how long until they hear each other again.
class Filtering : public testing::TestWithParam<NatKind> {};

TEST_P(Filtering, IsKnownSoon) {
  NatWorld in;
  const Node& a = in.add(alice(), GetParam(), "203.0.113.1");
  const std::string expected = !GetParam().is_nat                     ? "unknown"
                               : GetParam().filtering == By::kNothing ? "endpoint-independent"
                               : GetParam().filtering == By::kAddress
                                   ? "address-dependent"
                                   : "address- and port-dependent";
  in.world.run_for(3s);
  EXPECT_EQ(a.status().nat.filtering, expected);
  EXPECT_EQ(a.engine.sockets(), 0u);
  // The servers keep the port that they answered from for a minute.
  in.world.run_for(70s);
  EXPECT_EQ(in.first.engine.sockets() + in.second.engine.sockets(), 0u);
  EXPECT_EQ(a.status().nat.filtering, expected);
}

// Lost questions and answers are asked again.
TEST_P(Filtering, IsKnownThoughEveryThirdDatagramIsLost) {
  NatWorld in;
  unsigned count = 0;
  in.world.loses = [&](const Node&, const Endpoint&, ByteView) { return ++count % 3 == 0; };
  const Node& a = in.add(alice(), GetParam(), "203.0.113.1");
  in.world.run_for(95s);
  if (GetParam().is_nat && GetParam().filtering != By::kEndpoint) {
    EXPECT_NE(a.status().nat.filtering, "address- and port-dependent");
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Filtering, testing::ValuesIn(kKinds),
                         [](const auto& each) { return each.param.name; });

TEST(Nat, ThatIsAnotherIsAskedAnewWhatItLetsIn) {
  NatWorld in;
  Node& a = in.add(alice(), kFullCone, "203.0.113.1");
  in.world.run_for(3s);
  EXPECT_EQ(a.status().nat.filtering, "endpoint-independent");
  a.move_behind(in.world.add_nat("203.0.115.1", By::kNothing, By::kAddress), "10.7.0.1/24");
  in.world.run_for(5s);
  EXPECT_EQ(a.status().nat.filtering, "address-dependent");
}

class RestartedNat : public testing::TestWithParam<NatKind> {};

TEST_P(RestartedNat, StopsTrafficForLittleMoreThanASecond) {
  NatWorld in;
  const auto [a, b] = in.meet(kPortRestricted, GetParam());
  const auto both_hear = [&] {
    const std::uint32_t there = a.send(kBob);
    const std::uint32_t back = b.send(kAlice);
    in.world.run_for(50ms);
    return b.received(there) && a.received(back);
  };
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(both_hear());
  in.world.nats[0]->forget();
  const Instant restarted = in.world.now;
  while (!both_hear())
    ASSERT_LT(in.world.now - restarted, 1300ms);
}

INSTANTIATE_TEST_SUITE_P(ToAll, RestartedNat,
                         testing::Values(kNone, kFullCone, kAddressRestricted, kPortRestricted),
                         [](const auto& each) { return each.param.name; });

TEST(Nat, LetsTrafficGoOnWhenOneMovesBehindAnother) {
  NatWorld in;
  const auto [a, b] = in.meet(kPortRestricted, kPortRestricted);
  Nat& next = in.world.add_nat("203.0.115.1", By::kNothing, By::kEndpoint);
  in.world.run_for(20s);
  in.world.loses = [&](const Node& from, const Endpoint&, ByteView) { return &from == &a; };
  a.overlay->set_local_addresses({}, in.world.clock());  // the old network is gone
  in.world.run_for(300ms);
  in.world.loses = {};
  a.move_behind(next, "10.7.0.1/24");
  const Instant moved = in.world.now;
  for (bool heard = false; !heard;) {
    const std::uint32_t there = a.send(kBob);
    const std::uint32_t back = b.send(kAlice);
    in.world.run_for(50ms);
    heard = b.received(there) && a.received(back);
    ASSERT_LT(in.world.now - moved, 1s);
  }
}

}  // namespace
}  // namespace ipop::sim
