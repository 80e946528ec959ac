// What members can make a node send by asking it to guess ports: nothing to whom they like, and
// little to themselves.
#include <map>
#include <vector>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::GuessingEffort;
using overlay::PathKind;

// Under sanitizers all takes ten times as long.
constexpr bool kSlow = IPOP_MANY_NODES < 200;

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
  a.overlay->set_port_guessing(GuessingEffort::kNone, in.world.clock());
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

// Relays that say that Bob is where somebody else is, and Bob, who asks to be guessed there: what
// Alice sends to that address stays within a budget, whoever names it, and in whatever way.
class TogetherLies : public GuessingLies, public testing::WithParamInterface<GuessingEffort> {};

TEST_P(TogetherLies, DrawNoMoreThanABudgetToAThird) {
  const IpAddress victim = *IpAddress::parse("198.51.102.1");
  const auto [a, b] = in.meet(kSymmetric, kSymmetric);
  a.overlay->set_port_guessing(GetParam(), in.world.clock());
  b.overlay->set_port_guessing(GuessingEffort::kNone, in.world.clock());
  in.world.run_for(70s);
  const Instant until = in.world.now + (kSlow ? 2min : 10min);
  const overlay::PortModel one{overlay::PortModel::Kind::kOne, 7, 7, 0};
  const overlay::PortModel any{overlay::PortModel::Kind::kAnyOf, 1024, 65535, 0};
  for (unsigned i = 0; in.world.now < until; ++i) {
    a.send(kBob);
    for (Node* const relay : {&in.first, &in.second}) {
      for (const overlay::Circuit* const way : a.overlay->circuits().to(b.identity.node_id())) {
        const auto local = std::to_underlying(way->local);
        say(*relay, kAlice, overlay::message::RelayOpened{local, way->label, victim});
      }
    }
    in.world.run_for(50ms);
    say(b, kAlice,
        {overlay::message::PortsOffer{i % 3 == 1, {1}, i % 120 < 60 ? one : any, GetParam()}});
    in.world.run_for(950ms);
  }
  EXPECT_EQ(probes_to[b.nat->external()], 0u);
  EXPECT_GE(probes_to[victim], overlay::kGuessingSockets);
  const bool thorough = GetParam() == GuessingEffort::kThorough;
  EXPECT_LE(probes_to[victim], thorough ? overlay::PortGuessing::kMostProbesThorough
                                        : overlay::PortGuessing::kMostProbes);
}

INSTANTIATE_TEST_SUITE_P(Of, TogetherLies,
                         testing::ValuesIn(kSlow ? std::vector{GuessingEffort::kGentle}
                                                 : std::vector{GuessingEffort::kGentle,
                                                               GuessingEffort::kThorough}),
                         [](const auto& test) {
                           return test.param == GuessingEffort::kGentle ? "a_gentle_node"
                                                                        : "a_thorough_node";
                         });

}  // namespace
}  // namespace ipop::sim
