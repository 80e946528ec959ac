#include "overlay/peer/territory.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

Territory territory() {
  Territory made({prefix("192.168.10.0/24")}, {prefix("192.168.10.10"), prefix("10.50.0.0/16")});
  made.set_local({prefix("10.1.2.3/24"), prefix("172.16.0.1/20")});
  return made;
}

TEST(Territory, GrantsWhatBelongsInsideAndNothingElse) {
  struct Case {
    const char* description;
    const char* prefix;
    bool granted;
  };
  const Case cases[] = {
      {"a host of the network", "192.168.10.20", true},
      {"our own address", "192.168.10.10", false},
      {"a host outside the network", "8.8.8.8", false},
      {"a private subnet behind the peer", "10.77.0.0/16", true},
      {"everything", "0.0.0.0/0", false},
      {"half of everything", "0.0.0.0/1", false},
      {"a public subnet", "8.8.8.0/24", false},
      {"a part of the virtual network", "192.168.10.128/25", false},
      {"a net around the virtual network", "192.168.0.0/16", false},
      {"a net around our link", "10.1.0.0/16", false},
      {"a part of our link", "172.16.1.0/24", false},
      {"a part of what is behind us", "10.50.3.0/24", false},
      {"where the peer itself is", "10.200.0.0/16", false},
      {"a private IPv6 subnet", "fd00:1::/48", true},
      {"a private IPv6 subnet that is too wide", "fd00::/16", false},
  };
  const Territory made = territory();
  for (const Case& each : cases) {
    EXPECT_EQ(made.grants(prefix(each.prefix), {*Endpoint::parse("10.200.0.7:4545")}), each.granted)
        << each.description;
  }
}

TEST(Territory, KnowsWhichPathsWouldLeadIntoTheTunnel) {
  Territory made = territory();
  EXPECT_TRUE(made.inside(*IpAddress::parse("192.168.10.20")));
  EXPECT_FALSE(made.inside(*IpAddress::parse("10.77.0.5")));
  made.set_routed(prefix("10.77.0.0/16"), true);
  EXPECT_TRUE(made.inside(*IpAddress::parse("10.77.0.5")));
  made.set_routed(prefix("10.77.0.0/16"), false);
  EXPECT_FALSE(made.inside(*IpAddress::parse("10.77.0.5")));
}

}  // namespace
}  // namespace ipop::overlay
