#include "overlay/port_guessing/port_guesser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace ipop::overlay {
namespace {

using Kind = PortModel::Kind;

std::vector<int> take(PortGuesser& guesser, int count) {
  std::vector<int> ports;
  for (int i = 0; i < count; ++i)
    ports.push_back(guesser.next());
  return ports;
}

TEST(PortGuesser, TriesEachPortOfARangeOnceBeforeAnyTwice) {
  PortGuesser guesser({Kind::kAnyOf, 30000, 30999, 0}, 256);
  for (int round = 0; round < 2; ++round) {
    const auto ports = take(guesser, 1000);
    const std::set<int> distinct(ports.begin(), ports.end());
    EXPECT_EQ(distinct.size(), 1000u);
    EXPECT_EQ(*distinct.begin(), 30000);
    EXPECT_EQ(*distinct.rbegin(), 30999);
    EXPECT_FALSE(std::ranges::is_sorted(ports));
  }
  EXPECT_EQ(guesser.tried(), 2000u);
}

TEST(PortGuesser, TriesWhatManySocketsBehindStepsGet) {
  PortGuesser guesser({Kind::kSteps, 40000, 40000, -2}, 256);
  const auto ports = take(guesser, 256 + 32);
  const std::set<int> distinct(ports.begin(), ports.end());
  for (int i = 0; i < 256; ++i)
    EXPECT_TRUE(distinct.contains(40000 - 2 * i)) << i;
}

// Whoever makes a mapping with each datagram is followed step by step, each step once.
TEST(PortGuesser, KeepsStepWithTheOtherEnd) {
  PortGuesser guesser({Kind::kSteps, 20000, 20000, 1}, 0);
  const auto ports = take(guesser, 2048);
  const std::set<int> distinct(ports.begin(), ports.end());
  EXPECT_EQ(distinct.size(), 2048u);
  for (int i = 0; i < 1024; ++i)
    EXPECT_LT(std::abs(ports[static_cast<std::size_t>(i)] - (20000 + i)), 32) << i;
  for (int i = 1024; i < 2048; ++i)
    EXPECT_LT(std::abs(ports[static_cast<std::size_t>(i)] - (20000 + i)), 128) << i;
}

TEST(PortGuesser, NeverNamesPortZero) {
  PortGuesser around({Kind::kSteps, 65530, 65530, 1}, 0);
  PortGuesser above({Kind::kSteps, 65530, 65530, 64}, 256);
  PortGuesser below({Kind::kSteps, 3, 3, -64}, 256);
  PortGuesser all({Kind::kAnyOf, 1, 65535, 0}, 256);
  for (PortGuesser* const guesser : {&around, &above, &below, &all}) {
    for (int i = 0; i < 70'000; ++i)
      ASSERT_NE(guesser->next(), 0);
  }
}

}  // namespace
}  // namespace ipop::overlay
