#include "overlay/directory/bootstrap_schedule.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Step = BootstrapSchedule::Step;

const Instant kStart = Instant(1000h);

// The times, from `from`, at which `schedule` says `wanted` within `span`, asked every 10 ms.
std::vector<Duration> times_of(Step wanted, BootstrapSchedule& schedule, bool good_nodes,
                               Instant from, Duration span) {
  std::vector<Duration> times;
  for (Instant now = from; now < from + span; now += 10ms) {
    if (schedule.step(good_nodes, now) == wanted) times.push_back(now - from);
  }
  return times;
}

TEST(BootstrapSchedule, CallsAtOnceThenEverMoreSlowlyUpToTenSeconds) {
  BootstrapSchedule schedule(1);
  const auto calls = times_of(Step::kBootstrap, schedule, false, kStart, 60s);
  ASSERT_GE(calls.size(), 10u);
  EXPECT_EQ(calls[0], 0s);
  const Duration whole[] = {250ms, 500ms, 1s, 2s, 4s, 8s, 10s, 10s, 10s};
  for (std::size_t i = 0; i < std::size(whole); ++i) {
    const Duration gap = calls[i + 1] - calls[i];
    EXPECT_LE(gap, whole[i] + 10ms) << i;
    EXPECT_GE(gap, whole[i] * 4 / 5 - 10ms) << i;
  }
}

TEST(BootstrapSchedule, DiffersFromNodeToNode) {
  BootstrapSchedule one(1);
  BootstrapSchedule two(2);
  EXPECT_NE(times_of(Step::kBootstrap, one, false, kStart, 60s),
            times_of(Step::kBootstrap, two, false, kStart, 60s));
}

TEST(BootstrapSchedule, IsConnectedOnceANodeAnswered) {
  BootstrapSchedule schedule(1);
  EXPECT_EQ(schedule.step(false, kStart), Step::kBootstrap);
  EXPECT_FALSE(schedule.connected());
  schedule.heard(kStart + 50ms);
  EXPECT_EQ(schedule.step(true, kStart + 50ms), Step::kNone);
  EXPECT_TRUE(schedule.connected());
  EXPECT_EQ(schedule.next(), kStart + 50ms + 15s);
}

TEST(BootstrapSchedule, ProbesAfterSilenceAndOnlyThen) {
  BootstrapSchedule schedule(1);
  schedule.heard(kStart);
  const auto probes = times_of(Step::kProbe, schedule, true, kStart, 30s);
  EXPECT_EQ(probes, (std::vector<Duration>{15s, 20s, 25s}));
  schedule.heard(kStart + 29s);
  EXPECT_EQ(times_of(Step::kProbe, schedule, true, kStart + 29s, 14s).size(), 0u);
}

TEST(BootstrapSchedule, CallsAgainWhenAllFellSilent) {
  BootstrapSchedule schedule(1);
  schedule.heard(kStart);
  const auto calls = times_of(Step::kBootstrap, schedule, true, kStart, 32s);
  ASSERT_GE(calls.size(), 3u);
  EXPECT_EQ(calls[0], 30s);
  EXPECT_LE(calls[1], 30s + 260ms);
  EXPECT_FALSE(schedule.connected());
  EXPECT_EQ(schedule.isolations(), 1u);
  schedule.heard(kStart + 40s);
  EXPECT_EQ(schedule.step(true, kStart + 40s), Step::kNone);
  EXPECT_TRUE(schedule.connected());
}

TEST(BootstrapSchedule, CallsAgainAtOnceWhenTheLastGoodNodeIsGone) {
  BootstrapSchedule schedule(1);
  (void)times_of(Step::kBootstrap, schedule, false, kStart, 60s);
  const Instant connected = kStart + 60s;
  schedule.heard(connected);
  EXPECT_EQ(schedule.step(true, connected), Step::kNone);
  EXPECT_EQ(schedule.step(false, connected + 1s), Step::kBootstrap);
  EXPECT_EQ(schedule.step(false, connected + 1s + 250ms), Step::kBootstrap);
  EXPECT_EQ(schedule.isolations(), 0u);
}

}  // namespace
}  // namespace ipop::overlay
