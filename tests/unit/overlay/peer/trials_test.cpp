#include "overlay/peer/trials.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1h};

Endpoint number(std::uint16_t port) {
  return {IpAddress::v4(0xc0000201), port};
}

TEST(Trials, CountWhatIsNotAnswered) {
  Trials trials;
  EXPECT_EQ(trials.find(number(1)), nullptr);
  trials.sent(number(1), kNow);
  trials.sent(number(1), kNow + 1s);
  trials.sent(number(2), kNow);
  EXPECT_EQ(trials.find(number(1))->unanswered, 2u);
  EXPECT_EQ(trials.find(number(1))->sent, kNow + 1s);
  EXPECT_FALSE(trials.find(number(1))->answered);
  trials.answered(number(1), kNow + 2s);
  EXPECT_EQ(trials.find(number(1))->unanswered, 0u);
  EXPECT_EQ(trials.find(number(1))->answered, kNow + 2s);
  trials.sent(number(1), kNow + 3s);
  EXPECT_EQ(trials.find(number(1))->unanswered, 1u);
  EXPECT_EQ(trials.find(number(2))->unanswered, 1u);
}

TEST(Trials, ForgetWhatWasQuietForTheLongestTime) {
  Trials trials;
  for (std::uint16_t port = 1; port <= Trials::kMost; ++port)
    trials.sent(number(port), kNow + port * 1s);
  trials.answered(number(1), kNow + 1h);
  trials.sent(number(1000), kNow + 1h);
  EXPECT_EQ(trials.all().size(), Trials::kMost);
  EXPECT_NE(trials.find(number(1)), nullptr);
  EXPECT_EQ(trials.find(number(2)), nullptr);
  EXPECT_NE(trials.find(number(1000)), nullptr);
}

}  // namespace
}  // namespace ipop::overlay
