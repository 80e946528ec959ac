// What two nodes agree on in their handshake: by how many lanes each sends.
#include <gtest/gtest.h>

#include "tests/sim/two_nodes.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

TEST(Lanes, AreAsManyAsTheOneSendsAndTheOtherTakes) {
  World world;
  NodeOptions large = alice();
  large.lanes = {.sent = 6, .taken = 8};
  NodeOptions small = bob();
  small.lanes = {.sent = 2, .taken = 4};
  Node& a = world.add(large);
  Node& b = world.add(small);
  for (int round = 0; round < 2; ++round) {  // either is the initiator once
    const std::uint32_t number = round == 0 ? a.send(kBob) : b.send(kAlice);
    Node& to = round == 0 ? b : a;
    ASSERT_TRUE(world.run_until([&] { return to.received(number); }, 2s));
    EXPECT_EQ(a.engine.last_session.send_lanes, 4);
    EXPECT_EQ(a.engine.last_session.receive_lanes, 2);
    EXPECT_EQ(b.engine.last_session.send_lanes, 2);
    EXPECT_EQ(b.engine.last_session.receive_lanes, 4);
    world.run_for(400s);  // the session ends
  }
}

}  // namespace
}  // namespace ipop::sim
