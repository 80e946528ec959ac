#include "overlay/nat/port_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Kind = PortModel::Kind;
using Samples = std::vector<std::optional<std::uint16_t>>;

Samples steps(int first, int step, int count) {
  Samples samples;
  for (int i = 0; i < count; ++i)
    samples.emplace_back(static_cast<std::uint16_t>(first + i * step));
  return samples;
}

Samples random(int first, int last, unsigned seed) {
  std::mt19937 random(seed);
  Samples samples;
  for (int i = 0; i < 24; ++i) {
    samples.emplace_back(
        static_cast<std::uint16_t>(std::uniform_int_distribution(first, last)(random)));
  }
  return samples;
}

TEST(PortModel, KnowsSteps) {
  for (const int step : {1, 2, 8, -1, -4, 64}) {
    const auto model = port_model_of(steps(40000, step, 24));
    ASSERT_TRUE(model);
    EXPECT_EQ(model->kind, Kind::kSteps);
    EXPECT_EQ(model->step, step);
    EXPECT_EQ(model->first, 40000 + 24 * step);
  }
}

TEST(PortModel, KnowsStepsThatOthersUseAsWell) {
  Samples samples = steps(40000, 1, 24);
  for (std::size_t i = 9; i < samples.size(); ++i)
    *samples[i] = static_cast<std::uint16_t>(*samples[i] + 5);
  for (std::size_t i = 17; i < samples.size(); ++i)
    *samples[i] = static_cast<std::uint16_t>(*samples[i] + 1);
  const auto model = port_model_of(samples);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->kind, Kind::kSteps);
  EXPECT_EQ(model->step, 1);
  EXPECT_EQ(model->first, 40030);
}

// The mapping was made, whether or not the answer came back.
TEST(PortModel, CountsStepsWhoseAnswersWereLost) {
  Samples samples = steps(50000, 2, 24);
  for (const std::size_t lost : {1u, 7u, 8u, 22u, 23u})
    samples[lost].reset();
  const auto model = port_model_of(samples);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->kind, Kind::kSteps);
  EXPECT_EQ(model->step, 2);
  EXPECT_EQ(model->first, 50048);
}

TEST(PortModel, CoversTheRangeThatSamplesAreFrom) {
  int covered = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const auto model = port_model_of(random(30000, 32047, seed));
    ASSERT_TRUE(model);
    EXPECT_EQ(model->kind, Kind::kAnyOf);
    EXPECT_LT(model->ports(), 2 * 2048u);
    const int missed = std::max(0, model->first - 30000) + std::max(0, 32047 - int{model->last});
    covered += missed < 2048 / 10;
  }
  EXPECT_GE(covered, 95);
}

TEST(PortModel, StaysWithinWhatIsAPort) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const auto model = port_model_of(random(1024, 65535, seed));
    ASSERT_TRUE(model);
    EXPECT_EQ(model->kind, Kind::kAnyOf);
    EXPECT_GE(model->first, 1024);
    EXPECT_LE(model->first, model->last);
    EXPECT_GT(model->ports(), 40'000u);
  }
  Samples low = random(1024, 65535, 1);
  low[3] = 600;
  EXPECT_LE(port_model_of(low)->first, 600);
}

TEST(PortModel, SaysNothingOfTooFew) {
  EXPECT_FALSE(port_model_of({}));
  EXPECT_FALSE(port_model_of(steps(40000, 1, 7)));
  Samples lost(24);
  for (std::size_t i = 0; i < 7; ++i)
    lost[3 * i] = static_cast<std::uint16_t>(40000 + i);
  EXPECT_FALSE(port_model_of(lost));
}

TEST(PortModel, OfOnePortThatIsAlwaysTheSameIsARangeOfFew) {
  const auto model = port_model_of(steps(4545, 0, 24));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->kind, Kind::kAnyOf);
  EXPECT_LE(model->ports(), 3u);
}

}  // namespace
}  // namespace ipop::overlay
