// Ends whose NATs map each destination to another port, and yet get a direct path: by guessing.
#include <algorithm>
#include <map>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::GuessingEffort;
using overlay::PathKind;

constexpr NatKind kCarrier{"symmetric_of_2048", true, By::kEndpoint, By::kEndpoint, {30000, 32047}};
constexpr NatKind kThousands{
    "symmetric_of_16384", true, By::kEndpoint, By::kEndpoint, {32768, 49151}};
constexpr NatKind kUpwards{"symmetric_steps_1", true, By::kEndpoint, By::kEndpoint, {.step = 1}};
constexpr NatKind kDownwards{
    "symmetric_steps_-2", true, By::kEndpoint, By::kEndpoint, {.step = -2}};

// Under sanitizers all takes ten times as long.
constexpr bool kSlow = IPOP_MANY_NODES < 200;
constexpr int kRuns = kSlow ? 1 : 10;

struct Pair {
  NatKind left;
  NatKind right;
  GuessingEffort effort = GuessingEffort::kGentle;

  friend void PrintTo(const Pair& pair, std::ostream* out) {
    *out << pair.left.name << "_" << pair.right.name;
    if (pair.effort == GuessingEffort::kThorough) *out << "_thoroughly";
  }
};

class PortGuessing : public testing::TestWithParam<Pair> {};

// With packets both ways all the time, of which none is lost.
TEST_P(PortGuessing, FindsADirectPathInTwentySeconds) {
  int direct = 0;
  std::ptrdiff_t lost = 0;
  for (int run = 0; run < kRuns; ++run) {
    NatWorld in;
    const auto [a, b] = in.meet(GetParam().left, GetParam().right);
    for (Node* const each : {&a, &b})
      each->overlay->set_port_guessing(GetParam().effort, in.world.clock());
    std::vector<std::pair<Node*, std::uint32_t>> sent;
    const Instant end = in.world.now + 20s;
    while (!both_direct(a, b) && in.world.now < end) {
      sent.emplace_back(&b, a.send(kBob));
      sent.emplace_back(&a, b.send(kAlice));
      in.world.run_for(100ms);
    }
    direct += both_direct(a, b);
    for (int i = 0; i < 20; ++i) {
      sent.emplace_back(&b, a.send(kBob));
      sent.emplace_back(&a, b.send(kAlice));
      in.world.run_for(100ms);
    }
    in.world.run_for(2s);
    lost += std::ranges::count_if(
        sent, [](const auto& each) { return !each.first->received(each.second); });
    if (!both_direct(a, b)) continue;
    // What is not in use is closed.
    in.world.run_for(5s);
    EXPECT_LE(a.engine.sockets(), 1u);
    EXPECT_LE(b.engine.sockets(), 1u);
    EXPECT_EQ(a.peer(kBob)->why, "it answers at this endpoint");
  }
  EXPECT_GE(direct, kRuns - (kRuns + 9) / 10) << "of " << kRuns;
  EXPECT_EQ(lost, 0);
}

std::vector<Pair> pairs() {
  std::vector<Pair> all{{kSymmetric, kPortRestricted},
                        {kPortRestricted, kSymmetric},
                        {kCarrier, kPortRestricted},
                        {kUpwards, kPortRestricted},
                        {kPortRestricted, kDownwards},
                        {kUpwards, kDownwards},
                        {kThousands, kThousands, GuessingEffort::kThorough}};
  // A million datagrams: a minute under a sanitizer.
  if (!kSlow) all.push_back({kSymmetric, kSymmetric, GuessingEffort::kThorough});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Nats, PortGuessing, testing::ValuesIn(pairs()), [](const auto& test) {
  std::string name = testing::PrintToString(test.param);
  std::ranges::replace(name, '-', 'm');
  return name;
});

// The probes of a world to an address: STUN requests without attributes.
struct Counter {
  explicit Counter(World& world, const char* address) : to(*IpAddress::parse(address)) {
    world.loses = [this](const Node&, const Endpoint& at, ByteView datagram) {
      if (at.address == to && datagram.size() == 20 && datagram[0] == 0) ++count;
      return false;
    };
  }
  IpAddress to;
  unsigned count = 0;
};

TEST(PortGuesses, AreNotMadeWhereThereIsNoHope) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  Counter probes(in.world, "203.0.114.1");
  in.world.run_for(30s);
  EXPECT_EQ(path(a, kBob), PathKind::kRelay);
  EXPECT_EQ(probes.count, 0u);
  const std::string why = a.peer(kBob)->why;
  EXPECT_NE(why.find("guessing ports: not tried, there is little hope"), std::string::npos) << why;
  EXPECT_NE(why.find("port_guessing: thorough at both ends"), std::string::npos) << why;
  in.world.run_for(1s);
  EXPECT_EQ(a.engine.sockets() + b.engine.sockets(), 0u);
}

// Two carriers that give each customer 2,048 ports: neither loses more than half of its own.
TEST(PortGuesses, AreGentleToSmallNats) {
  NatWorld in;
  const auto [a, b] = in.meet(kCarrier, kCarrier);
  Counter probes(in.world, "203.0.114.1");
  for (int second = 0; second < 60 && path(a, kBob) == PathKind::kRelay; ++second) {
    in.world.run_for(1s);
    EXPECT_LE(a.nat->mappings(), 1024u + 200);
    EXPECT_LE(b.nat->mappings(), 1024u + 200);
  }
  EXPECT_GT(probes.count, 0u);
  EXPECT_LE(probes.count, 1300u);
}

// One end alone that would send more changes nothing.
TEST(PortGuesses, NeedTwoThatAreThorough) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  a.overlay->set_port_guessing(GuessingEffort::kThorough, in.world.clock());
  Counter from_a(in.world, "203.0.114.1");
  in.world.run_for(40s);
  EXPECT_EQ(from_a.count, 0u);
  EXPECT_EQ(path(a, kBob), PathKind::kRelay);
  // The other one as well, later: it is tried as soon as may be.
  b.overlay->set_port_guessing(GuessingEffort::kThorough, in.world.clock());
  EXPECT_TRUE(in.world.run_until([&] { return from_a.count > 1000; }, 60s));
}

TEST(PortGuesses, RestLongerAfterEachFailure) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kPortRestricted);
  unsigned probes[2] = {};
  const IpAddress ends[] = {*IpAddress::parse("203.0.114.1"), *IpAddress::parse("203.0.113.1")};
  in.world.loses = [&](const Node&, const Endpoint& to, ByteView datagram) {
    const bool probe = datagram.size() == 20 && datagram[0] == 0;
    for (int i = 0; i < 2; ++i) {
      if (!probe || to.address != ends[i]) continue;
      ++probes[i];
      return true;
    }
    return false;
  };
  const auto talk_for = [&, &one = a](Duration time) {
    for (const Instant end = in.world.now + time; in.world.now < end;) {
      one.send(kBob);
      in.world.run_for(1s);
    }
  };
  talk_for(40s);
  const unsigned first = probes[1];
  EXPECT_GT(first, 2500u);
  EXPECT_LE(first, 3200u);
  EXPECT_GE(probes[0], 256u);
  EXPECT_LE(probes[0], 3 * 256u);
  EXPECT_NE(a.peer(kBob)->why.find(" datagrams in vain"), std::string::npos) << a.peer(kBob)->why;
  EXPECT_EQ(a.engine.sockets(), 0u);
  talk_for(60s);
  EXPECT_EQ(probes[1], 2 * first);
  if (kSlow) return;
  talk_for(9min);
  EXPECT_EQ(probes[1], 2 * first);
  talk_for(2min);
  EXPECT_EQ(probes[1], 3 * first);
  talk_for(55min);
  EXPECT_EQ(probes[1], 3 * first);
}

TEST(PortGuesses, EndAtOnceWhereTheyAreSwitchedOff) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kPortRestricted);
  Counter probes(in.world, "203.0.114.1");
  a.overlay->set_port_guessing(GuessingEffort::kNone, in.world.clock());
  in.world.run_for(30s);
  EXPECT_EQ(path(a, kBob), PathKind::kRelay);
  EXPECT_EQ(probes.count, 0u);
  EXPECT_NE(a.peer(kBob)->why.find("guessing ports is off"), std::string::npos);
  a.overlay->set_port_guessing(GuessingEffort::kGentle, in.world.clock());
  // Nothing is found, so that there is something to end.
  in.world.loses = [&](const Node&, const Endpoint& at, ByteView datagram) {
    const bool probe = datagram.size() == 20 && datagram[0] == 0 && at.port != 4545;
    probes.count += probe && at.address == probes.to;
    return probe;
  };
  ASSERT_TRUE(in.world.run_until([&] { return a.engine.sockets() > 100; }, 90s));
  a.overlay->set_port_guessing(GuessingEffort::kNone, in.world.clock());
  const unsigned before = probes.count;
  in.world.run_for(6s);
  EXPECT_EQ(probes.count, before);
  EXPECT_LE(a.engine.sockets(), 1u);
}

// A path that was found by guessing is one socket's: it ends when the session does.
TEST(PortGuesses, LetGoOfTheirSocketsWhenThePeerIsGone) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kPortRestricted);
  ASSERT_TRUE(in.world.run_until([&] { return both_direct(a, b); }, 30s));
  in.world.run_for(5s);
  EXPECT_EQ(a.engine.sockets(), 1u);
  in.world.kill(b);
  in.world.run_for(10min);
  EXPECT_EQ(a.engine.sockets(), 0u);
}

TEST(PortGuesses, GoOnAfterTheNatForgot) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kPortRestricted);
  const auto exchange = [&, &one = a, &other = b] {
    one.send(kBob);
    other.send(kAlice);
    in.world.run_for(100ms);
    return both_direct(one, other);
  };
  const auto meet_again = [&](Duration limit) {
    const Instant end = in.world.now + limit;
    while (in.world.now < end) {
      if (exchange()) return true;
    }
    return false;
  };
  ASSERT_TRUE(meet_again(20s));
  a.nat->forget();
  ASSERT_TRUE(
      in.world.run_until([&] { return !exchange() && path(a, kBob) == PathKind::kRelay; }, 5s));
  EXPECT_TRUE(meet_again(80s));
}

// What costs a NAT mappings is not done again and again where it leads nowhere.
TEST(PortGuesses, AskTheirNatSeldomWhereThereIsNoHope) {
  for (const bool switched_off : {false, true}) {
    NatWorld in;
    const auto [a, b] = in.meet(kSymmetric, switched_off ? kPortRestricted : kSymmetric);
    if (switched_off) b.overlay->set_port_guessing(GuessingEffort::kNone, in.world.clock());
    unsigned questions = 0;
    in.world.loses = [&](const Node&, const Endpoint& to, ByteView) {
      questions += to.socket != 0;
      return false;
    };
    for (int second = 0; second < (kSlow ? 200 : 3600); ++second) {
      a.send(kBob);
      in.world.run_for(1s);
    }
    EXPECT_EQ(path(a, kBob), PathKind::kRelay);
    // Whoever leads asks, and may be the one that was switched off.
    if (!switched_off) {
      EXPECT_GE(questions, overlay::PortGuessing::kSamples);
    }
    // After a minute and after ten, from both ends; and nothing that is known is asked again.
    EXPECT_LE(questions, 2 * 3 * overlay::PortGuessing::kSamples) << switched_off;
  }
}

// A peer that moved is looked for where its relay sees it now, and at once.
TEST(PortGuesses, FollowAPeerThatMovedBehindAnotherNat) {
  NatWorld in;
  const auto [a, b] = in.meet(kSymmetric, kPortRestricted);
  Nat& other = in.world.add_nat("203.0.115.1", By::kNothing, By::kEndpoint);
  const auto talk_until_direct = [&, &one = a, &there = b](Duration limit) {
    for (const Instant end = in.world.now + limit; in.world.now < end;) {
      one.send(kBob);
      there.send(kAlice);
      in.world.run_for(100ms);
      if (both_direct(one, there)) return true;
    }
    return false;
  };
  // Nothing is found behind the first one.
  in.world.loses = [](const Node&, const Endpoint&, ByteView datagram) {
    return datagram.size() == 20 && datagram[0] == 0;
  };
  EXPECT_FALSE(talk_until_direct(40s));
  in.world.loses = nullptr;
  b.move_behind(other, "10.0.3.1/24");
  EXPECT_TRUE(talk_until_direct(60s));
}

}  // namespace
}  // namespace ipop::sim
