#include "engine/firewall/flow_table.hpp"

#include <random>
#include <thread>

#include "tests/unit/engine/firewall/packets_between.hpp"

namespace ipop::engine::firewall {
namespace {

FlowKey key(std::uint64_t number) {
  return {{number, number * 3, number * 5, number * 7, std::uint64_t{1} << 40 | number}};
}

constexpr FlowLife kNew{.seen_s = 100, .timeout_s = 60};
constexpr FlowLife kAnswered{.seen_s = 100, .timeout_s = 60, .answered = true};

TEST(FlowTable, GivesBackWhatWasPutIn) {
  FlowTable table(64);
  const FlowVerdict verdict{
      .stamp = 0xdeadbeef, .rule = 1023, .origin = Direction::kOut, .denied = true};
  const FlowLife life{.seen_s = 100, .timeout_s = 7440, .answered = true, .finished = true};
  ASSERT_TRUE(table.insert(key(1), verdict, life, 100));
  const auto found = table.find(key(1), 100);
  ASSERT_TRUE(found);
  EXPECT_EQ(found.verdict.stamp, 0xdeadbeef);
  EXPECT_EQ(found.verdict.rule, 1023);
  EXPECT_EQ(found.verdict.origin, Direction::kOut);
  EXPECT_TRUE(found.verdict.denied);
  EXPECT_EQ(found.life, life);
  EXPECT_FALSE(table.find(key(2), 100));
  EXPECT_EQ(table.count(100), 1u);
}

TEST(FlowTable, HoldsAKeyOnce) {
  FlowTable table(64);
  for (std::uint16_t rule = 0; rule < 20; ++rule)
    ASSERT_TRUE(table.insert(key(1), {.rule = rule}, kNew, 100));
  EXPECT_EQ(table.count(100), 1u);
  EXPECT_EQ(table.find(key(1), 100).verdict.rule, 19);
}

TEST(FlowTable, CountsTimeFromTheLastPacket) {
  FlowTable table(64);
  ASSERT_TRUE(table.insert(key(1), {}, kNew, 100));
  EXPECT_TRUE(table.find(key(1), 160));
  EXPECT_FALSE(table.find(key(1), 161));
  EXPECT_TRUE(table.find(key(1), 99)) << "another lcore's clock is behind";
  const auto found = table.find(key(1), 150);
  FlowLife life = found.life;
  life.seen_s = 150;
  table.update(found, life);
  EXPECT_TRUE(table.find(key(1), 210));
}

TEST(FlowTable, ChangesNothingThatWasReplaced) {
  FlowTable table(FlowTable::kWays);
  ASSERT_TRUE(table.insert(key(1), {.stamp = 1}, kNew, 100));
  const auto found = table.find(key(1), 100);
  FlowLife later = kNew;
  later.seen_s = 130;
  ASSERT_TRUE(table.insert(key(1), {.stamp = 2}, later, 130));
  FlowLife wrong = kNew;
  wrong.seen_s = 101;
  table.update(found, wrong);
  table.update(found, FlowVerdict{.stamp = 3});
  EXPECT_EQ(table.find(key(1), 130).life.seen_s, 130u);
  EXPECT_EQ(table.find(key(1), 130).verdict.stamp, 2u);
}

TEST(FlowTable, GivesUpTheOldestThatNobodyAnswered) {
  FlowTable table(FlowTable::kWays);  // one bucket
  for (std::uint64_t i = 0; i < FlowTable::kWays; ++i) {
    FlowLife life = i % 2 == 0 ? kAnswered : kNew;
    life.seen_s = static_cast<std::uint32_t>(120 - i);
    ASSERT_TRUE(table.insert(key(i), {}, life, 120));
  }
  ASSERT_TRUE(table.insert(key(100), {}, {.seen_s = 121, .timeout_s = 60}, 121));
  EXPECT_FALSE(table.find(key(7), 121)) << "silent for longest";
  for (const std::uint64_t i : {0, 1, 2, 3, 4, 5, 6})
    EXPECT_TRUE(table.find(key(i), 121)) << i;
}

TEST(FlowTable, GivesUpWhatIsClosedBeforeWhatIsNew) {
  FlowTable table(FlowTable::kWays);
  for (std::uint64_t i = 0; i < FlowTable::kWays; ++i) {
    FlowLife life = kNew;
    life.reset = life.answered = i == 3;
    if (i == 3) life.seen_s = 120;
    ASSERT_TRUE(table.insert(key(i), {}, life, 120));
  }
  ASSERT_TRUE(table.insert(key(100), {}, kNew, 120));
  EXPECT_FALSE(table.find(key(3), 120));
  EXPECT_TRUE(table.find(key(0), 120));
}

TEST(FlowTable, NeverGivesUpWhatWasAnswered) {
  FlowTable table(FlowTable::kWays);
  for (std::uint64_t i = 0; i < FlowTable::kWays; ++i)
    ASSERT_TRUE(table.insert(key(i), {}, kAnswered, 100));
  EXPECT_FALSE(table.insert(key(100), {}, kNew, 160));
  EXPECT_TRUE(table.insert(key(100), {}, {.seen_s = 161, .timeout_s = 60}, 161)) << "they are over";
}

// Writers and readers on the same few places: whatever is found is one flow's, whole.
TEST(FlowTable, NeverShowsHalfOfTwoFlows) {
  FlowTable table(FlowTable::kWays);
  constexpr std::uint64_t kKeys = 24;
  constexpr int kRounds = 30'000;
  std::atomic<bool> torn{false};
  std::atomic<std::uint64_t> hits{0};
  const auto work = [&](std::uint32_t seed) {
    std::minstd_rand random(seed);
    std::uint64_t found_here = 0;
    for (int i = 0; i < kRounds; ++i) {
      const std::uint64_t number = random() % kKeys;
      const auto value = static_cast<std::uint32_t>(number);
      const auto found = table.find(key(number), 100);
      if (found) {
        ++found_here;
        if (found.verdict.stamp != value || found.verdict.rule != value) torn = true;
        table.update(found, found.life);
      } else {
        static_cast<void>(table.insert(
            key(number), {.stamp = value, .rule = static_cast<std::uint16_t>(value)}, kNew, 100));
      }
    }
    hits += found_here;
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t i = 1; i <= 3; ++i)
    threads.emplace_back(work, i);
  threads.clear();
  EXPECT_FALSE(torn);
  EXPECT_GT(hits, 100u);
}

}  // namespace
}  // namespace ipop::engine::firewall
