#include <gtest/gtest.h>

#include "overlay/handshake/noise.hpp"
#include "overlay/handshake/timers.hpp"

namespace ipop::overlay::handshake {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string hex_at(Duration since_1970) {
  return to_hex(tai64n(WallTime(since_1970)));
}

TEST(Tai64n, CountsFromWireGuardsEpoch) {
  EXPECT_EQ(hex_at({}), "400000000000000a00000000");
  EXPECT_EQ(hex_at(seconds(1'700'000'000)), "400000006553f10a00000000");
}

TEST(Tai64n, GrowsInStepsOf17Milliseconds) {
  EXPECT_EQ(hex_at(nanoseconds((1 << 24) - 1)), "400000000000000a00000000");
  EXPECT_EQ(hex_at(nanoseconds(1 << 24)), "400000000000000a01000000");
  EXPECT_EQ(hex_at(nanoseconds(999'999'999)), "400000000000000a3b000000");
}

TEST(Tai64n, ComparesInTheOrderOfTime) {
  Timestamp previous = tai64n(WallTime(seconds(255)));
  for (int i = 1; i < 2000; ++i) {
    const Timestamp next = tai64n(WallTime(seconds(255) + milliseconds(17) * i));
    EXPECT_LT(previous, next) << i;
    previous = next;
  }
}

TEST(Tai64n, KeepsItsOrderBefore1970) {
  EXPECT_EQ(hex_at(nanoseconds(-1)), "40000000000000093b000000");
  EXPECT_LT(tai64n(WallTime(seconds(-1))), tai64n(WallTime(seconds(0))));
}

TEST(Timers, AreWireGuardsUnlessScaledForTests) {
  EXPECT_EQ(kTimers.rekey_after, seconds(120));
  EXPECT_EQ(kTimers.reject_after, seconds(180));
  EXPECT_EQ(kTimers.rekey_attempt, seconds(90));
  EXPECT_EQ(kTimers.rekey_timeout, seconds(5));
  EXPECT_EQ(kTimers.keepalive_timeout, seconds(10));
  EXPECT_EQ(kTimers.rekey_after_messages, 1'152'921'504'606'846'976u);    // 2^60
  EXPECT_EQ(kTimers.reject_after_messages, 18'446'744'073'709'543'423u);  // 2^64 - 2^13 - 1
}

}  // namespace
}  // namespace ipop::overlay::handshake
