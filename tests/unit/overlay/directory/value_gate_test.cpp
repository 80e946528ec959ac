#include "overlay/directory/value_gate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Verdict = ValueGate::Verdict;

const Instant kStart = Instant(1000h);

std::array<std::uint8_t, 4> value(std::uint32_t number) {
  std::array<std::uint8_t, 4> bytes;
  store_be(bytes.data(), number);
  return bytes;
}

TEST(ValueGate, PassesAValueOnce) {
  ValueGate gate;
  EXPECT_EQ(gate.check(value(1), kStart), Verdict::kPass);
  EXPECT_EQ(gate.check(value(1), kStart), Verdict::kDuplicate);
  EXPECT_EQ(gate.check(value(2), kStart), Verdict::kPass);
}

TEST(ValueGate, RefusesWhatNobodyOfUsStores) {
  ValueGate gate;
  EXPECT_EQ(gate.check({}, kStart), Verdict::kUnfit);
  EXPECT_EQ(gate.check(std::vector<std::uint8_t>(1200), kStart), Verdict::kPass);
  EXPECT_EQ(gate.check(std::vector<std::uint8_t>(1201), kStart), Verdict::kUnfit);
  EXPECT_EQ(gate.check(std::vector<std::uint8_t>(65536), kStart), Verdict::kUnfit);
}

TEST(ValueGate, HoldsBackAFloodAndLetsItsRestInLater) {
  ValueGate gate;
  unsigned passed = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    if (gate.check(value(i), kStart) == Verdict::kPass) ++passed;
  }
  EXPECT_EQ(passed, ValueGate::kBurst);
  EXPECT_EQ(gate.check(value(9'999), kStart), Verdict::kTooMany);
  EXPECT_EQ(gate.check(value(9'999), kStart + 1s), Verdict::kPass);
}

TEST(ValueGate, ForgetsTheOldestOfTooMany) {
  ValueGate gate;
  Instant now = kStart;
  for (std::uint32_t i = 0; i <= ValueGate::kMaxRemembered; ++i) {
    now += 10ms;
    ASSERT_EQ(gate.check(value(i), now), Verdict::kPass);
  }
  EXPECT_EQ(gate.check(value(1), now), Verdict::kDuplicate);
  EXPECT_EQ(gate.check(value(0), now), Verdict::kPass);
}

}  // namespace
}  // namespace ipop::overlay
