#include "overlay/nat/mappings.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using enum NatMapping;

Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

class MappingsTest : public testing::Test {
 protected:
  const Endpoint home = endpoint("10.0.0.5:4545");
  const Endpoint home6 = endpoint("[2001:db8::5]:4545");
  const Endpoint outside = endpoint("203.0.113.5:61000");
  const Endpoint other = endpoint("203.0.113.5:61001");

  Instant now{1h};
  Mappings mappings;

  MappingsTest() { EXPECT_TRUE(mappings.set_local({home, home6})); }

  bool server(const char* by, const Endpoint& mapped) {
    return mappings.observe(Mappings::Observer::kServer, endpoint(by), mapped, now);
  }
  bool peer(const char* by, const Endpoint& mapped) {
    return mappings.observe(Mappings::Observer::kPeer, endpoint(by), mapped, now);
  }
  using Endpoints = std::vector<Endpoint>;
};

TEST_F(MappingsTest, KnowNothingAtFirst) {
  EXPECT_EQ(mappings.mapping(true), kUnknown);
  EXPECT_TRUE(mappings.endpoints().empty());
}

TEST_F(MappingsTest, TellANodeWithoutANat) {
  EXPECT_TRUE(server("192.0.2.1:3478", home));
  EXPECT_EQ(mappings.mapping(true), kNone);
  EXPECT_EQ(mappings.mapping(false), kUnknown) << "each family has its own";
  EXPECT_TRUE(mappings.endpoints().empty()) << "its own address is known already";
  EXPECT_TRUE(server("[2001:db8::1]:3478", home6));
  EXPECT_EQ(mappings.mapping(false), kNone);
}

TEST_F(MappingsTest, TellACone) {
  EXPECT_TRUE(server("192.0.2.1:3478", outside));
  EXPECT_EQ(mappings.mapping(true), kTranslated);
  EXPECT_EQ(mappings.endpoints(), Endpoints{outside});
  EXPECT_TRUE(server("192.0.2.2:3478", outside));
  EXPECT_EQ(mappings.mapping(true), kEndpointIndependent);
  EXPECT_EQ(mappings.endpoints(), Endpoints{outside});
  EXPECT_FALSE(server("192.0.2.2:3478", outside)) << "no news";
}

TEST_F(MappingsTest, TellASymmetricNat) {
  (void)server("192.0.2.1:3478", outside);
  now += 1s;
  EXPECT_TRUE(server("192.0.2.2:3478", other));
  EXPECT_EQ(mappings.mapping(true), kEndpointDependent);
  EXPECT_EQ(mappings.endpoints(), (Endpoints{other, outside})) << "the last one first";
}

TEST_F(MappingsTest, TellASymmetricNatByThePortOfOneServer) {
  (void)server("192.0.2.1:3478", outside);
  (void)server("192.0.2.1:3479", other);
  EXPECT_EQ(mappings.mapping(true), kEndpointDependent);
}

TEST_F(MappingsTest, DoNotTakeAnObserverOnOurSideForADifference) {
  (void)server("10.0.0.1:4545", home);
  EXPECT_EQ(mappings.mapping(true), kNone);
  (void)server("192.0.2.1:3478", outside);
  EXPECT_EQ(mappings.mapping(true), kTranslated);
  (void)server("192.0.2.2:3478", outside);
  EXPECT_EQ(mappings.mapping(true), kEndpointIndependent);
}

TEST_F(MappingsTest, DoNotTakeANewMappingForADifference) {
  (void)server("192.0.2.1:3478", outside);
  (void)server("192.0.2.2:3478", outside);
  now += 20s;
  EXPECT_TRUE(server("192.0.2.1:3478", other));
  EXPECT_EQ(mappings.mapping(true), kTranslated) << "what the second said is out of date";
  EXPECT_EQ(mappings.endpoints(), Endpoints{other});
  EXPECT_TRUE(server("192.0.2.2:3478", other));
  EXPECT_EQ(mappings.mapping(true), kEndpointIndependent);
}

TEST_F(MappingsTest, BelievePeersOnlyWhereServersAreFew) {
  (void)peer("198.51.100.1:4545", other);
  EXPECT_EQ(mappings.endpoints(), Endpoints{other});
  (void)server("192.0.2.1:3478", outside);
  EXPECT_EQ(mappings.mapping(true), kEndpointDependent);
  EXPECT_TRUE(server("192.0.2.2:3478", outside));
  EXPECT_EQ(mappings.mapping(true), kEndpointIndependent) << "the peer may lie";
  EXPECT_EQ(mappings.endpoints(), Endpoints{outside});
}

TEST_F(MappingsTest, DoNotLetPeersCrowdOutServers) {
  (void)server("192.0.2.1:3478", outside);
  (void)server("192.0.2.2:3478", outside);
  for (std::uint16_t port = 1; port <= 200; ++port) {
    now += 1ms;
    EXPECT_FALSE(mappings.observe(Mappings::Observer::kPeer, {IpAddress::v4(0xc6336401), port},
                                  {IpAddress::v4(0xc6336409), port}, now));
  }
  EXPECT_EQ(mappings.mapping(true), kEndpointIndependent);
  EXPECT_EQ(mappings.endpoints(), Endpoints{outside});
}

// The bootstrap node may be a peer, too.
TEST_F(MappingsTest, KeepWhatAServerSaidWhenItSpeaksAsAPeer) {
  (void)server("192.0.2.1:3478", outside);
  (void)server("192.0.2.2:3478", outside);
  EXPECT_FALSE(peer("192.0.2.1:3478", other));
  EXPECT_EQ(mappings.endpoints(), Endpoints{outside});
  EXPECT_TRUE(server("192.0.2.1:3478", other));
}

TEST_F(MappingsTest, AreForgottenWhenNobodyRepeatsThem) {
  (void)server("192.0.2.1:3478", outside);
  now += Mappings::kLife;
  EXPECT_FALSE(mappings.expire(now));
  now += 1ms;
  EXPECT_TRUE(mappings.expire(now));
  EXPECT_EQ(mappings.mapping(true), kUnknown);
  EXPECT_FALSE(mappings.expire(now));
}

TEST_F(MappingsTest, AreForgottenWhenWeMove) {
  (void)server("192.0.2.1:3478", outside);
  EXPECT_FALSE(mappings.set_local({home, home6}));
  EXPECT_TRUE(mappings.set_local({home}));
  EXPECT_TRUE(mappings.endpoints().empty());
}

TEST_F(MappingsTest, RefuseEndpointsThatNobodyCanHave) {
  for (const char* const text : {"0.0.0.0:9", "127.0.0.1:9", "224.0.0.1:9", "169.254.0.1:9",
                                 "203.0.113.5:0", "[2001:db8::1]:9"}) {
    const auto parsed = Endpoint::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_FALSE(server("192.0.2.1:3478", *parsed)) << text;
  }
  EXPECT_EQ(mappings.mapping(true), kUnknown);
}

TEST_F(MappingsTest, HaveRoomForALimitedNumber) {
  for (std::uint16_t port = 1; port <= 100; ++port) {
    now += 1ms;
    (void)mappings.observe(Mappings::Observer::kPeer, {IpAddress::v4(0xc0000201), port},
                           {IpAddress::v4(0xcb007105), port}, now);
  }
  EXPECT_EQ(mappings.endpoints().size(), 2u);
  EXPECT_EQ(mappings.endpoints()[0].port, 100);
}

}  // namespace
}  // namespace ipop::overlay
