// What lcores hand each other, and how the overlay reaches all of them.
#include "engine/path/handover.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "engine/path/relay_budget.hpp"
#include "tests/unit/engine/lcores/lcore_group.hpp"

namespace ipop::engine {
namespace {

bool readable(int fd) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

// The lcore that has no lane of a peer with one.
unsigned without_lane(const GroupPair& pair) {
  return LaneShare::owner(pair.bob_at_alice, 0, 2) == 0 ? 1 : 0;
}

TEST(Handover, DropsWhatFindsNoRoom) {
  GroupPair pair(2, 1, 1);
  const unsigned from = without_lane(pair);
  for (std::uint32_t i = 0; i < HandoverRings::kPackets + 7; ++i) {
    pair.alice.from_host(from, GroupPair::frame(1));
    pair.alice.turn(from);
  }
  EXPECT_EQ(pair.alice.count(Fate::kDropHandoverFull), 7u);
  EXPECT_EQ(pair.alice.counters().handed_over, HandoverRings::kPackets);
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.count(Fate::kSent), HandoverRings::kPackets);
}

// The group's destructor balances.
TEST(Handover, CountsWhatIsLeftAtTheEnd) {
  GroupPair pair(2, 1, 1);
  for (int i = 0; i < 5; ++i)
    pair.alice.from_host(without_lane(pair), GroupPair::frame(1));
  pair.alice.turn(without_lane(pair));
  EXPECT_EQ(pair.alice.count(Fate::kSent), 0u);
}

TEST(Handover, WakesWhoeverIsGivenSomething) {
  GroupPair pair(2, 1, 1);
  const unsigned from = without_lane(pair);
  const unsigned to = 1 - from;
  const_cast<Bell&>(pair.alice.bell(to)).prepare_sleep();
  EXPECT_FALSE(pair.alice.state(to).has_waiting());
  pair.alice.from_host(from, GroupPair::frame(1));
  pair.alice.turn(from);
  EXPECT_TRUE(readable(pair.alice.bell(to).fd()));
  EXPECT_TRUE(pair.alice.state(to).has_waiting());
  EXPECT_FALSE(readable(pair.alice.bell(from).fd()));
}

TEST(InjectRings, HaveMessagesSealedByWhoHasTheLane) {
  GroupPair pair(2, 1, 1);
  const unsigned owner = 1 - without_lane(pair);
  ASSERT_TRUE(pair.alice.injector.send_sealed(pair.alices_session, Bytes{0x10}));
  EXPECT_EQ(pair.alice.orders(owner).accepted(), 1u);
  pair.alice.turn_all();
  const auto sent = pair.alice.to_wire();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].lcore, owner);
  // Were another asked, no counter would be used twice.
  ASSERT_TRUE(pair.alice.orders(1 - owner).send_sealed(pair.alices_session, Bytes{0x10}));
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.to_wire().size(), 0u);
  EXPECT_EQ(pair.alice.count(Fate::kDropNoSession), 1u);
}

TEST(InjectRings, TellAllOfStagedPackets) {
  GroupPair pair(3, 1, 1, false);
  for (unsigned lcore = 0; lcore < 3; ++lcore)
    pair.alice.from_host(lcore, GroupPair::frame(1));
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.counters().staged, 3u);
  EXPECT_TRUE(pair.alice.injector.reject_staged(ip("10.0.0.2"), RejectReason::kHostUnreachable));
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.counters().staged, 0u);
  EXPECT_EQ(pair.alice.count(Fate::kDropUnreachable), 3u);
  for (unsigned lcore = 0; lcore < 3; ++lcore)
    pair.alice.from_host(lcore, GroupPair::frame(1));
  pair.alice.turn_all();
  pair.renew(1);
  EXPECT_TRUE(pair.alice.injector.retry_staged());
  pair.alice.turn_all();
  EXPECT_EQ(pair.alice.to_wire().size(), 3u);
}

TEST(PuntQueues, AreReadableWhileOneOfThemIs) {
  LcoreGroup group(endpoint("192.0.2.9:4545"), 3);
  EXPECT_FALSE(readable(group.punts.wake_fd()));
  for (unsigned lcore = 0; lcore < 3; ++lcore) {
    for (int i = 0; i < 4; ++i)
      group.from_wire(lcore, {0x80, 0, 0, 0}, endpoint("198.51.100.1:9"));
  }
  group.turn_all();
  EXPECT_TRUE(readable(group.punts.wake_fd()));
  const auto ignore = [](const Punt&) {};
  EXPECT_EQ(group.punts.drain(5, ignore), 5u);
  EXPECT_TRUE(readable(group.punts.wake_fd()));
  EXPECT_EQ(group.punts.drain(100, ignore), 7u);
  EXPECT_FALSE(readable(group.punts.wake_fd()));
}

// Whoever floods one lcore does not shut out what comes by another.
TEST(PuntQueues, AreDrainedInTurns) {
  LcoreGroup group(endpoint("192.0.2.9:4545"), 2);
  const Endpoint flooder = endpoint("198.51.100.1:9");
  const Endpoint other = endpoint("198.51.100.2:9");
  for (int i = 0; i < 50; ++i)
    group.from_wire(0, {0x80, 0, 0, 0}, flooder);
  group.from_wire(1, {0x80, 0, 0, 0}, other);
  group.turn_all();
  bool seen = false;
  for (int i = 0; i < 2; ++i)
    group.punts.drain(10, [&](const Punt& punt) { seen |= punt.source == other; });
  EXPECT_TRUE(seen);
}

TEST(RelayBudget, IsOneForAll) {
  RelayBudget budget;
  const Instant now{std::chrono::hours(1)};
  budget.fill(8'000'000, now);
  std::int64_t passed = 0;
  while (budget.take(1000))
    passed += 1000;
  EXPECT_LE(passed, RelayBudget::kLeastBurst);
  EXPECT_GT(passed, RelayBudget::kLeastBurst - 1000);
  // A second lcore at the same moment gains nothing.
  budget.fill(8'000'000, now);
  EXPECT_FALSE(budget.take(1000));
  budget.fill(8'000'000, now + std::chrono::milliseconds(10));
  passed = 0;
  while (budget.take(1000))
    passed += 1000;
  EXPECT_NEAR(static_cast<double>(passed), 10'000, 1000);
}

}  // namespace
}  // namespace ipop::engine
