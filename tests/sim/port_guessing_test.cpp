// Ends whose NATs map each destination to another port, and yet get a direct path: by guessing.
#include <algorithm>
#include <map>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;

constexpr NatKind kCarrier{"symmetric_of_2048", true, By::kEndpoint, By::kEndpoint, {30000, 32047}};
constexpr NatKind kUpwards{"symmetric_steps_1", true, By::kEndpoint, By::kEndpoint, {.step = 1}};
constexpr NatKind kDownwards{
    "symmetric_steps_-2", true, By::kEndpoint, By::kEndpoint, {.step = -2}};

constexpr int kRuns = IPOP_MANY_NODES < 200 ? 2 : 10;

PathKind path(const Node& at, const char* of) {
  return at.peer(of)->path;
}

bool both_direct(const Node& a, const Node& b) {
  return path(a, kBob) == PathKind::kDirect && path(b, kAlice) == PathKind::kDirect;
}

struct Pair {
  NatKind left;
  NatKind right;

  friend void PrintTo(const Pair& pair, std::ostream* out) {
    *out << pair.left.name << "_" << pair.right.name;
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
    EXPECT_LE(a.engine.sockets() + b.engine.sockets(), 1u);
    EXPECT_EQ(a.peer(kBob)->why, "it answers at this endpoint");
  }
  EXPECT_GE(direct, kRuns - (kRuns + 9) / 10) << "of " << kRuns;
  EXPECT_EQ(lost, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Nats, PortGuessing,
    testing::Values(Pair{kSymmetric, kPortRestricted}, Pair{kPortRestricted, kSymmetric},
                    Pair{kCarrier, kPortRestricted}, Pair{kUpwards, kPortRestricted},
                    Pair{kPortRestricted, kDownwards}, Pair{kUpwards, kDownwards}),
    [](const auto& test) {
      std::string name = std::string(test.param.left.name) + "_" + test.param.right.name;
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
  a.overlay->set_port_guessing(false, in.world.clock());
  in.world.run_for(30s);
  EXPECT_EQ(path(a, kBob), PathKind::kRelay);
  EXPECT_EQ(probes.count, 0u);
  EXPECT_NE(a.peer(kBob)->why.find("guessing ports is off"), std::string::npos);
  a.overlay->set_port_guessing(true, in.world.clock());
  // Nothing is found, so that there is something to end.
  in.world.loses = [&](const Node&, const Endpoint& at, ByteView datagram) {
    const bool probe = datagram.size() == 20 && datagram[0] == 0 && at.port != 4545;
    probes.count += probe && at.address == probes.to;
    return probe;
  };
  ASSERT_TRUE(in.world.run_until([&] { return a.engine.sockets() > 100; }, 90s));
  a.overlay->set_port_guessing(false, in.world.clock());
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
    if (switched_off) b.overlay->set_port_guessing(false, in.world.clock());
    unsigned questions = 0;
    in.world.loses = [&](const Node&, const Endpoint& to, ByteView) {
      questions += to.socket != 0;
      return false;
    };
    for (int second = 0; second < 3600; ++second) {
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

// What a member can make others send: nothing to whom it likes, and little to itself.
class GuessingLies : public testing::Test {
 protected:
  GuessingLies() {
    in.world.loses = [this](const Node&, const Endpoint& to, ByteView datagram) {
      if (datagram.size() == 20 && datagram[0] == 0) ++probes_to[to.address];
      return false;
    };
  }
  static void say(Node& liar, const char* to, const overlay::message::Message& what) {
    const overlay::Peer* const peer = liar.overlay->peers().by_address(*IpAddress::parse(to));
    ASSERT_TRUE(peer != nullptr && peer->connected()) << to;
    liar.engine.send_sealed(peer->current, overlay::message::encode(what), std::nullopt);
  }
  static overlay::message::PortsOffer offer() {
    return {false, {1, 2, 3}, {overlay::PortModel::Kind::kAnyOf, 1024, 65535, 0}};
  }

  NatWorld in;
  std::map<IpAddress, unsigned> probes_to;
};

TEST_F(GuessingLies, AnOfferOverADirectPathIsIgnored) {
  const auto [a, b] = in.meet(kFullCone, kPortRestricted);
  ASSERT_TRUE(in.world.run_until([&, &one = a, &other = b] { return both_direct(one, other); }));
  for (int i = 0; i < 10; ++i) {
    say(a, kBob, offer());
    in.world.run_for(100ms);
  }
  EXPECT_EQ(probes_to[a.nat->external()], 0u);
  EXPECT_EQ(b.engine.sockets(), 0u);
}

TEST_F(GuessingLies, HoweverManyOffersMakeOneRun) {
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  in.world.run_for(10s);
  a.overlay->set_port_guessing(false, in.world.clock());
  in.world.run_for(50s);
  const auto carrier = overlay::PortModel{overlay::PortModel::Kind::kOne, 7, 7, 0};
  for (int i = 0; i < 400; ++i) {
    const auto id = static_cast<std::uint8_t>(i);
    a.send(kBob);
    say(a, kBob, overlay::message::PortsOffer{i % 2 == 1, {id}, carrier});
    in.world.run_for(100ms);
  }
  EXPECT_EQ(path(b, kAlice), PathKind::kRelay);
  EXPECT_GE(probes_to[a.nat->external()], overlay::kGuessingSockets);
  EXPECT_LE(probes_to[a.nat->external()], 2 * 3 * overlay::kGuessingSockets);
  EXPECT_LE(b.engine.sockets(), overlay::kGuessingSockets);
}

// Whoever opens a circuit may say where it is: the relay knows better.
TEST_F(GuessingLies, RelaysTellWhereTheySeeWhoAsksAndNotWhatItSays) {
  const IpAddress victim = *IpAddress::parse("198.51.102.1");
  Node& a = in.add(alice(), kPortRestricted, "203.0.113.1");
  Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
  in.world.run_for(3s);
  for (const char* const relay : {"192.168.10.101", "192.168.10.102"}) {
    say(a, relay,
        overlay::message::RelayOpen{7, a.identity.node_id(), b.identity.node_id(), {}, {}, victim});
  }
  in.world.run_for(1s);
  const auto circuits = b.overlay->circuits().to(a.identity.node_id());
  EXPECT_EQ(circuits.size(), 2u);
  for (const overlay::Circuit* const circuit : circuits)
    EXPECT_EQ(circuit->seen, a.nat->external());
}

}  // namespace
}  // namespace ipop::sim
