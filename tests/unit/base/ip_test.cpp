#include "base/ip.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace ipop {
namespace {

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"192.168.10.10", "0.0.0.0", "2001:db8::1", "::", "fe80::1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  for (const char* text : {"", "1.2.3", "1.2.3.256", "1.2.3.4 ", "g::", "[::1]"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KnowsItsKind) {
  EXPECT_TRUE(IpAddress::parse("10.1.2.3")->is_private());
  EXPECT_TRUE(IpAddress::parse("100.64.0.1")->is_private());
  EXPECT_TRUE(IpAddress::parse("fd00::1")->is_private());
  EXPECT_FALSE(IpAddress::parse("172.32.0.1")->is_private());
  EXPECT_TRUE(IpAddress::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("255.255.255.255")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("169.254.0.1")->is_link_local());
}

TEST(Prefix, MasksAndContains) {
  const auto prefix = Prefix::parse("192.168.10.10/24");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->masked().to_string(), "192.168.10.0/24");
  EXPECT_TRUE(prefix->contains(*IpAddress::parse("192.168.10.255")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("192.168.11.1")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("::c0a8:0a01")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("8.8.8.8")));
  EXPECT_EQ(Prefix::parse("2001:db8:1:2::9/64")->masked().to_string(), "2001:db8:1:2::/64");
  EXPECT_TRUE(Prefix::parse("10.0.0.1")->is_host());
}

TEST(Prefix, RefusesWhatIsNotAPrefix) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "a/8"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Endpoint, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1:4545")->to_string(), "192.0.2.1:4545");
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:1")->to_string(), "[2001:db8::1]:1");
  for (const char* text : {"", ":1", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "2001:db8::1:1",
                           "[192.0.2.1]:1", "[::1]"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Endpoint, SurvivesTheKernelsForm) {
  for (const char* text : {"192.0.2.1:4545", "[2001:db8::1]:65535"}) {
    const auto endpoint = Endpoint::parse(text);
    sockaddr_storage storage;
    EXPECT_GT(endpoint->to_sockaddr(storage), 0u);
    EXPECT_EQ(Endpoint::from_sockaddr(storage), *endpoint);
  }
}

}  // namespace
}  // namespace ipop
