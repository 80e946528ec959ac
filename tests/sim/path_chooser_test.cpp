// Which way stays where both ends call at once, and their handshakes come by two.
#include "overlay/peer/path_chooser.hpp"

#include <gtest/gtest.h>

#include "tests/sim/world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

struct Meeting {
  // A handshake, the peer's first one or another.
  void by(const Endpoint& source) {
    chooser.meet(peer, source, first, now);
    first = false;
  }

  Instant now{1000s};
  World world;
  SimDirectory directory{world};
  SimEngine engine{now, [](const Endpoint&, std::vector<std::uint8_t>) {},
                   [](const engine::Punt&) {}};
  overlay::Identity identity = overlay::Identity::generate();
  overlay::NetworkKey network = *overlay::NetworkKey::derive("meetings", "");
  overlay::Context context{.table = engine,
                           .injector = engine,
                           .directory = directory,
                           .identity = identity,
                           .network = network};
  overlay::LivenessMonitor liveness{context};
  overlay::Territory territory{{*Prefix::parse("192.168.10.0/24")}, {}};
  overlay::PathChooser chooser{context, liveness, territory};
  overlay::Peer peer{*engine.add_peer(), overlay::handshake::Form::kIpop, {}, {}};
  bool first = true;

  const Endpoint direct = *Endpoint::parse("203.0.113.5:4545");
  const Endpoint direct6 = *Endpoint::parse("[2001:db8::5]:4545");
  const Endpoint relayed = [] {
    Endpoint endpoint = *Endpoint::parse("198.51.100.1:4545");
    endpoint.label = 7;
    return endpoint;
  }();
};

TEST(PathChooser, IsNotTakenBackToARelayByAHandshakeThatWasUnderWay) {
  Meeting at;
  at.by(at.direct);
  at.now += 30ms;
  at.by(at.relayed);
  EXPECT_EQ(at.peer.path, at.direct);
}

TEST(PathChooser, LeavesTheRelayForAHandshakeThatCameDirectly) {
  Meeting at;
  at.by(at.relayed);
  at.now += 30ms;
  at.by(at.direct);
  EXPECT_EQ(at.peer.path, at.direct);
  at.now += 30ms;
  at.by(at.relayed);
  EXPECT_EQ(at.peer.path, at.direct);
}

// Else the two ends could swap families, each following the other's handshake.
TEST(PathChooser, KeepsTheBetterOfTwoFamilies) {
  for (const bool better_first : {true, false}) {
    Meeting at;
    at.by(better_first ? at.direct6 : at.direct);
    at.now += 30ms;
    at.by(better_first ? at.direct : at.direct6);
    EXPECT_EQ(at.peer.path, at.direct6);
  }
}

// A peer that has lost its direct way calls by a relay.
TEST(PathChooser, FollowsToAWorseWayOnceThePathHasSettled) {
  Meeting at;
  at.by(at.direct);
  at.now += 5s;
  at.by(at.relayed);
  EXPECT_EQ(at.peer.path, at.relayed);
}

}  // namespace
}  // namespace ipop::sim
