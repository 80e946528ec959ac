#include "overlay/handshake/source_limiter.hpp"

#include <gtest/gtest.h>

#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

// How many of `tries` are let through.
unsigned allowed(SourceLimiter& limiter, const IpAddress& source, Instant now, unsigned tries) {
  unsigned count = 0;
  for (unsigned i = 0; i < tries; ++i)
    count += limiter.allow(source, now) ? 1 : 0;
  return count;
}

TEST(SourceLimiter, LetsTwentyThroughAtOnce) {
  SourceLimiter limiter;
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at({}), 100), 20u);
}

TEST(SourceLimiter, LetsTwentyASecondThrough) {
  SourceLimiter limiter;
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at({}), 100), 20u);
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at(milliseconds(49)), 9), 0u);
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at(milliseconds(50)), 9), 1u);
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at(milliseconds(550)), 100), 10u);
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at(seconds(60)), 100), 20u);
}

TEST(SourceLimiter, CountsSourcesApart) {
  SourceLimiter limiter;
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at({}), 100), 20u);
  EXPECT_EQ(allowed(limiter, ip("192.0.2.2"), at({}), 100), 20u);
}

TEST(SourceLimiter, CountsAnIpv6NetworkAsOneSource) {
  SourceLimiter limiter;
  EXPECT_EQ(allowed(limiter, ip("2001:db8:0:1::1"), at({}), 100), 20u);
  EXPECT_EQ(allowed(limiter, ip("2001:db8:0:1:ffff::2"), at({}), 100), 0u);
  EXPECT_EQ(allowed(limiter, ip("2001:db8:0:2::1"), at({}), 100), 20u);
}

TEST(SourceLimiter, HoldsABoundedNumberOfSourcesAndForgetsThem) {
  SourceLimiter limiter;
  unsigned busy = 0;
  for (std::uint32_t i = 0; i < 50000; ++i) {
    busy += limiter.allow(IpAddress::v4(0x0a000000 + i), at({})) ? 1 : 0;
  }
  EXPECT_LE(busy, SourceLimiter::kMaxSources);
  EXPECT_GT(busy, SourceLimiter::kMaxSources / 2);
  EXPECT_EQ(limiter.refused_for_room(), 50000 - busy);
  // All of them rested: each slot is free again.
  EXPECT_TRUE(limiter.allow(IpAddress::v4(0x0affffff), at(milliseconds(50))));
}

TEST(SourceLimiter, RemembersABusySourceAmongManyOthers) {
  SourceLimiter limiter;
  ASSERT_EQ(allowed(limiter, ip("192.0.2.1"), at({}), 100), 20u);
  for (std::uint32_t i = 0; i < 50000; ++i) {
    (void)limiter.allow(IpAddress::v4(0x0a000000 + i), at(Duration(i)));
  }
  EXPECT_EQ(allowed(limiter, ip("192.0.2.1"), at(milliseconds(49)), 100), 0u);
}

// The hash is keyed anew each time: in one of 30 keys a single set is already full then.
TEST(SourceLimiter, HasRoomForHalfItsSizeAtOnceButForAFew) {
  SourceLimiter limiter;
  constexpr std::uint32_t kHalf = SourceLimiter::kMaxSources / 2;
  std::uint32_t room = 0;
  for (std::uint32_t i = 0; i < kHalf; ++i) {
    room += limiter.allow(IpAddress::v4(0x0a000000 + i), at({})) ? 1 : 0;
  }
  EXPECT_GE(room, kHalf - kHalf / 100);
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
