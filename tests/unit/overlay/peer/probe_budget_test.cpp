#include "overlay/peer/probe_budget.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

const IpAddress kVictim = *IpAddress::parse("192.0.2.1");
constexpr Instant kNow{1h};

unsigned taken(ProbeBudget& budget, const IpAddress& to, Instant now) {
  unsigned count = 0;
  while (count < 10'000 && budget.take(to, now))
    ++count;
  return count;
}

TEST(ProbeBudget, EndsForAnAddressThatDoesNotAnswer) {
  ProbeBudget budget;
  EXPECT_EQ(taken(budget, kVictim, kNow), ProbeBudget::kMostUnanswered);
  EXPECT_EQ(taken(budget, kVictim, kNow + 9min), 0u);
  EXPECT_EQ(taken(budget, *IpAddress::parse("192.0.2.2"), kNow), ProbeBudget::kMostUnanswered);
  EXPECT_EQ(taken(budget, kVictim, kNow + ProbeBudget::kForgetAfter), ProbeBudget::kMostUnanswered);
}

TEST(ProbeBudget, IsFullAgainAfterAnAnswer) {
  ProbeBudget budget;
  EXPECT_EQ(taken(budget, kVictim, kNow), ProbeBudget::kMostUnanswered);
  budget.answered(kVictim);
  EXPECT_TRUE(budget.take(kVictim, kNow));
}

TEST(ProbeBudget, HasRoomForAFewAddresses) {
  ProbeBudget budget;
  unsigned total = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    total += taken(budget, IpAddress::v4(0xc6336400 + i), kNow);
  EXPECT_EQ(total, ProbeBudget::kMostAddresses * ProbeBudget::kMostUnanswered);
  EXPECT_TRUE(budget.take(kVictim, kNow + ProbeBudget::kForgetAfter));
}

}  // namespace
}  // namespace ipop::overlay
