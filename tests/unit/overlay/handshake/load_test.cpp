#include "overlay/handshake/load.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(LoadGauge, IsCalmUpToTheLimit) {
  LoadGauge gauge(5);
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(gauge.count(at({})));
  EXPECT_TRUE(gauge.count(at({})));
  EXPECT_TRUE(gauge.under_load(at({})));
}

TEST(LoadGauge, CountsOneSecondOnly) {
  LoadGauge gauge(5);
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(gauge.count(at(milliseconds(250) * i))) << i;
}

TEST(LoadGauge, StaysUnderLoadForASecondAfterTheLastExcess) {
  LoadGauge gauge(5);
  for (int i = 0; i < 6; ++i)
    gauge.count(at({}));
  EXPECT_TRUE(gauge.under_load(at(milliseconds(999))));
  EXPECT_FALSE(gauge.under_load(at(milliseconds(1000))));
  EXPECT_FALSE(gauge.count(at(milliseconds(1100))));
}

TEST(LoadGauge, StaysUnderLoadAsLongAsTheStormLasts) {
  LoadGauge gauge(5);
  for (int i = 0; i < 6; ++i)
    gauge.count(at({}));
  for (int i = 1; i < 100; ++i)
    EXPECT_TRUE(gauge.count(at(milliseconds(100) * i))) << i;
}

TEST(LoadGauge, StartsCalmAtAnyTime) {
  LoadGauge gauge(1);
  EXPECT_FALSE(gauge.under_load(Instant()));
  EXPECT_FALSE(gauge.count(Instant(seconds(1'000'000'000))));
}

// Against the obvious model, which remembers every arrival. A step is a tenth, so the gauge's
// second is 0.9 to 1 s long; the model knows the step.
TEST(LoadGauge, AgreesWithASlowModel) {
  std::mt19937 random(3);
  LoadGauge gauge(20);
  std::deque<std::int64_t> steps;
  Duration time{};
  Duration loaded_until = Duration::min();
  for (int i = 0; i < 20000; ++i) {
    const auto longest = i / 1000 % 2 == 0 ? 100 : 20;  // calm and storm in turn
    time += milliseconds(random() % static_cast<unsigned>(longest));
    if (random() % 500 == 0) time += seconds(3);
    const std::int64_t step = at(time).time_since_epoch() / milliseconds(100);
    steps.push_back(step);
    while (steps.front() <= step - 10)
      steps.pop_front();
    if (steps.size() > 20) loaded_until = time + seconds(1);
    ASSERT_EQ(gauge.count(at(time)), time < loaded_until) << i;
  }
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
