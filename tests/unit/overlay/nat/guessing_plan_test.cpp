#include "overlay/nat/guessing_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Kind = PortModel::Kind;

PortModel any_of(int first, int last) {
  return {Kind::kAnyOf, static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last), 0};
}

const PortModel kOne{Kind::kOne, 4545, 4545, 0};
const PortModel kStepping{Kind::kSteps, 40000, 40000, 1};
const PortModel kAll = any_of(1024, 65535);

TEST(GuessingPlan, OpensManySocketsOnlyTowardsOnePort) {
  EXPECT_EQ(guessing_plan(kAll, kOne, 25s).sockets, kGuessingSockets);
  EXPECT_EQ(guessing_plan(kOne, kAll, 25s).sockets, 0u);
  EXPECT_EQ(guessing_plan(kAll, kAll, 25s).sockets, 0u);
  EXPECT_EQ(guessing_plan(kOne, kAll, 25s).probes, 125u * 25);
}

TEST(GuessingPlan, LeavesHalfOfItsNatsPortsToOthers) {
  EXPECT_EQ(guessing_plan(any_of(30000, 32047), any_of(30000, 32047), 25s).probes, 1024u);
  EXPECT_EQ(guessing_plan(any_of(1024, 65535), any_of(30000, 32047), 25s).probes, 250u * 25);
}

TEST(GuessingPlan, IsForAllPortsWhereItIsThorough) {
  const GuessingEnd all(kAll, GuessingEffort::kThorough);
  EXPECT_EQ(guessing_plan(all, all, 25s).probes, kMostGuesses);
  EXPECT_EQ(guessing_plan(all, all, 10s).probes, 80'000u);
  // If both are, and nothing less is likely to do.
  EXPECT_EQ(guessing_plan(all, kAll, 25s).probes, 250u * 25);
  EXPECT_EQ(guessing_plan(kAll, all, 25s).probes, 250u * 25);
  const GuessingEnd stepping(kStepping, GuessingEffort::kThorough);
  EXPECT_EQ(guessing_plan(stepping, stepping, 25s).probes, 250u * 25);
  EXPECT_EQ(guessing_plan(stepping, all, 25s).probes, kMostGuesses);
  // Where one port is known, little is enough.
  EXPECT_EQ(guessing_plan({kOne, GuessingEffort::kThorough}, kAll, 25s).probes, 125u * 25);
  EXPECT_EQ(guessing_plan(all, kOne, 25s).probes, 125u * 25);
}

TEST(ChanceOfMeeting, IsTheSameForBothEnds) {
  const PortModel models[] = {kOne, kStepping, kAll, any_of(30000, 32047)};
  std::vector<GuessingEnd> ends;
  for (const PortModel& model : models) {
    for (const GuessingEffort effort : {GuessingEffort::kGentle, GuessingEffort::kThorough})
      ends.emplace_back(model, effort);
  }
  for (const GuessingEnd& a : ends) {
    for (const GuessingEnd& b : ends) {
      const double chance = chance_of_meeting(a, b, 25s);
      EXPECT_EQ(chance, chance_of_meeting(b, a, 25s));
      EXPECT_GE(chance, 0);
      EXPECT_LE(chance, 1);
    }
  }
}

// By hand: 3,125 datagrams, of which each hits one of 256 mappings among 64,512 ports.
TEST(ChanceOfMeeting, IsWhatTheBirthdayParadoxSays) {
  EXPECT_GT(chance_of_meeting(kOne, kAll, 25s), 0.99999);
  EXPECT_NEAR(chance_of_meeting(kOne, kAll, 5s), 1 - std::exp(-625 * 256 / 64512.0), 1e-9);
  EXPECT_LT(chance_of_meeting(kAll, kAll, 25s), 0.01);
  const GuessingEnd thorough(kAll, GuessingEffort::kThorough);
  EXPECT_GT(chance_of_meeting(thorough, thorough, 25s), 0.99);
  EXPECT_NEAR(chance_of_meeting(thorough, thorough, 10s),
              1 - std::exp(-80e3 * 80e3 / 64512 / 64512), 1e-9);
  EXPECT_NEAR(chance_of_meeting(any_of(30000, 32047), any_of(1, 2048), 25s), 1 - std::exp(-0.25),
              1e-9);
  EXPECT_EQ(chance_of_meeting(kStepping, kStepping, 25s), 1);
  EXPECT_EQ(chance_of_meeting(kStepping, kOne, 25s), 1);
}

}  // namespace
}  // namespace ipop::overlay
