#include "engine/path/replay_window.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ipop::engine {
namespace {

constexpr std::uint64_t kSize = ReplayWindow::kSize;

// Slow and obvious: every accepted counter, for ever.
class Model {
 public:
  bool check_and_set(std::uint64_t counter) {
    if (counter >= kRejectAfterMessages) return false;
    if (!seen_.empty() && counter < *seen_.rbegin() && *seen_.rbegin() - counter >= kSize) {
      return false;
    }
    return seen_.insert(counter).second;
  }

 private:
  std::set<std::uint64_t> seen_;
};

TEST(ReplayWindow, AcceptsZeroAsTheFirstCounterOnce) {
  ReplayWindow window;
  EXPECT_TRUE(window.check_and_set(0));
  EXPECT_FALSE(window.check_and_set(0));
  EXPECT_TRUE(window.check_and_set(1));
}

TEST(ReplayWindow, RejectsACounterSeenTwice) {
  ReplayWindow window;
  for (std::uint64_t counter = 0; counter < 3 * kSize; ++counter) {
    ASSERT_TRUE(window.check_and_set(counter)) << counter;
    ASSERT_FALSE(window.check_and_set(counter)) << counter;
  }
}

TEST(ReplayWindow, AcceptsAWholeWindowBackwards) {
  ReplayWindow window;
  for (std::uint64_t counter = kSize; counter-- > 0;) {
    ASSERT_TRUE(window.check_and_set(counter)) << counter;
  }
  for (std::uint64_t counter = 0; counter < kSize; ++counter) {
    ASSERT_FALSE(window.check_and_set(counter)) << counter;
  }
}

TEST(ReplayWindow, ReachesExactlyAsFarBackAsItsSize) {
  ReplayWindow window;
  const std::uint64_t top = 1'000'000;
  EXPECT_TRUE(window.check_and_set(top));
  EXPECT_TRUE(window.check_and_set(top - (kSize - 1)));
  EXPECT_FALSE(window.check_and_set(top - kSize));
  EXPECT_FALSE(window.check_and_set(0));
}

TEST(ReplayWindow, AcceptsEverySkippedCounterAfterAJumpOfAnyLength) {
  for (const std::uint64_t start : {0u, 1u, 63u, 64u, 100u, 8191u, 8192u}) {
    for (const std::uint64_t jump : {1u, 2u, 63u, 64u, 65u, 127u, 4096u, 8127u, 8128u, 8129u, 8190u,
                                     8191u, 8192u, 8193u, 20000u}) {
      ReplayWindow window;
      Model model;
      // The whole ring is set before the jump, so that a bit not cleared shows.
      for (std::uint64_t counter = 0; counter <= start + kSize; ++counter) {
        ASSERT_EQ(window.check_and_set(counter), model.check_and_set(counter));
      }
      const std::uint64_t top = start + kSize + jump;
      ASSERT_EQ(window.check_and_set(top), model.check_and_set(top));
      for (std::uint64_t counter = top + 1; counter-- > top - 2 * kSize && counter > 0;) {
        ASSERT_EQ(window.check_and_set(counter), model.check_and_set(counter))
            << "start " << start << " jump " << jump << " counter " << counter;
      }
    }
  }
}

TEST(ReplayWindow, EndsBeforeCountersRunOut) {
  ReplayWindow window;
  EXPECT_EQ(kRejectAfterMessages, UINT64_MAX - 8192);
  EXPECT_FALSE(window.check_and_set(UINT64_MAX));
  EXPECT_FALSE(window.check_and_set(kRejectAfterMessages));
  EXPECT_TRUE(window.check_and_set(7)) << "a refused counter must not move the window";
  EXPECT_TRUE(window.check_and_set(kRejectAfterMessages - 1));
  EXPECT_FALSE(window.check_and_set(kRejectAfterMessages - 1));
  EXPECT_FALSE(window.check_and_set(kRejectAfterMessages));
  EXPECT_TRUE(window.check_and_set(kRejectAfterMessages - kSize));
  EXPECT_FALSE(window.check_and_set(kRejectAfterMessages - kSize - 1));
  EXPECT_FALSE(window.check_and_set(0));
}

// A stream as networks make them: in order, late by a little, twice, and with holes of all sizes.
void compare_with_model(std::uint64_t seed, std::uint64_t start) {
  std::mt19937_64 random(seed);
  ReplayWindow window;
  Model model;
  std::uint64_t top = start;
  for (int i = 0; i < 40'000; ++i) {
    const std::uint64_t dice = random() % 100;
    std::uint64_t counter = top;
    if (dice < 50) {
      counter = ++top;
    } else if (dice < 60) {
      counter = top += random() % 200;
    } else if (dice < 62) {
      counter = top += random() % (3 * kSize);
    } else if (dice < 95) {
      counter = top - std::min(top, random() % 300);
    } else {
      counter = top - std::min(top, random() % (kSize + 100));
    }
    ASSERT_EQ(window.check_and_set(counter), model.check_and_set(counter))
        << "seed " << seed << " step " << i << " counter " << counter;
  }
}

TEST(ReplayWindow, JudgesLikeAPlainSetOnRandomStreams) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    compare_with_model(seed, 0);
}

TEST(ReplayWindow, JudgesLikeAPlainSetUpToTheLastCounter) {
  compare_with_model(99, kRejectAfterMessages - 5'000'000);
}

}  // namespace
}  // namespace ipop::engine
