#include "engine/port/way.hpp"

#include <gtest/gtest.h>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::ip;
using testing::kOurMac;
using testing::kTheirMac;

const IpAddress kGateway = ip("192.0.2.254");

TEST(Way, KnowsNobodyAtFirst) {
  const Way way(kOurMac, kNoVlan, {ip("192.0.2.1"), 24});
  EXPECT_EQ(way.last_if_for(ip("192.0.2.2")), nullptr);
  EXPECT_EQ(way.last_if_for(ip("8.8.8.8")), nullptr);
}

TEST(Way, LeadsAllThatIsBeyondTheLinkToTheGateway) {
  Way way(kOurMac, kNoVlan, {ip("192.0.2.1"), 24});
  way.remember(ip("8.8.8.8"), kGateway, kTheirMac);
  ASSERT_NE(way.last_if_for(ip("203.0.113.9")), nullptr);
  EXPECT_EQ(*way.last_if_for(ip("203.0.113.9")), kTheirMac);
  EXPECT_NE(way.last_if_for(kGateway), nullptr) << "which is on the link";
  for (const char* nobody : {"192.0.2.2", "192.0.2.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"})
    EXPECT_EQ(way.last_if_for(ip(nobody)), nullptr) << nobody;
  way.forget();
  EXPECT_EQ(way.last_if_for(ip("203.0.113.9")), nullptr);
}

TEST(Way, LeadsNothingElseToANeighbourOnTheLink) {
  Way way(kOurMac, kNoVlan, {ip("192.0.2.1"), 24});
  way.remember(ip("192.0.2.2"), ip("192.0.2.2"), kTheirMac);
  EXPECT_NE(way.last_if_for(ip("192.0.2.2")), nullptr);
  EXPECT_EQ(way.last_if_for(ip("192.0.2.3")), nullptr);
  EXPECT_EQ(way.last_if_for(ip("8.8.8.8")), nullptr);
}

TEST(Way, HasLinksOfOneAddressAndOfAll) {
  Way alone(kOurMac, kNoVlan, {ip("192.0.2.1"), 32});
  alone.remember(ip("192.0.2.2"), kGateway, kTheirMac);
  EXPECT_NE(alone.last_if_for(ip("192.0.2.3")), nullptr);
  Way whole(kOurMac, kNoVlan, {ip("192.0.2.1"), 0});
  whole.remember(ip("8.8.8.8"), ip("8.8.8.8"), kTheirMac);
  EXPECT_NE(whole.last_if_for(ip("8.8.8.8")), nullptr);
  EXPECT_EQ(whole.last_if_for(ip("8.8.4.4")), nullptr);
}

TEST(Way, RemembersOneDestinationOverIpv6) {
  Way way(kOurMac, kNoVlan, {ip("2001:db8::1"), 64});
  way.remember(ip("2001:db8:1::9"), ip("fe80::fe"), kTheirMac);
  EXPECT_NE(way.last_if_for(ip("2001:db8:1::9")), nullptr);
  EXPECT_EQ(way.last_if_for(ip("2001:db8:1::8")), nullptr);
}

}  // namespace
}  // namespace ipop::engine
