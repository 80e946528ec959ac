#include "kni/host_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <stdexcept>

#include "frames.hpp"
#include "kni/tap_device.hpp"
#include "private_network.hpp"

namespace ipop::kni {
namespace {

using testing::addresses_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::in_child;
using testing::ip;
using testing::look_at;
using testing::make_tun;
using testing::send_to;
using testing::udp_socket;

constexpr int kTap = IFF_TAP | IFF_NO_PI;

class HostLinkTest : public testing::PrivateNetwork {
 protected:
  HostLinkSettings settings_{
      .mtu = 1300,
      .addresses = {{ip("192.168.10.10"), 24}, {ip("fd00:10::10"), 64}},
  };

  // What the constructor says when it refuses; empty if it does not.
  [[nodiscard]] std::string refusal() const {
    try {
      const HostLink link(settings_);
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  // Another interface with an address, for as long as the descriptor is open.
  [[nodiscard]] static Fd make_other(const Prefix& address) {
    Fd tap = make_tun("other0", kTap);
    auto netlink = Netlink::connect();
    EXPECT_TRUE(netlink);
    const int link = static_cast<int>(if_nametoindex("other0"));
    EXPECT_TRUE(netlink->bring_up(link));
    EXPECT_TRUE(netlink->add_address(link, address));
    return tap;
  }
};

TEST_F(HostLinkTest, IsUpWithAllThatWasAskedFor) {
  const HostLink link(settings_);
  const testing::Interface seen = look_at("tapipop");
  EXPECT_TRUE(seen.up);
  EXPECT_EQ(seen.mtu, 1300);
  EXPECT_EQ(seen.queue_length, 1000);
  EXPECT_EQ(seen.mac.to_string(), "02:49:c0:a8:0a:0a");
  EXPECT_EQ(seen.mac, link.mac());
  // Nothing but ours: no link-local address was made up.
  EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24 fd00:10::10/64");
  EXPECT_THAT(link.own_addresses(), ::testing::ElementsAre(ip("192.168.10.10"), ip("fd00:10::10")));
}

TEST_F(HostLinkTest, HasAnIpv6AddressThatIsUsableAtOnce) {
  const HostLink link(settings_);
  const Fd socket = udp_socket({ip("fd00:10::10"), 0});
  EXPECT_EQ(send_to(socket, {ip("fd00:10::20"), 9}, "at once"), 0);
}

TEST_F(HostLinkTest, TurnsIpv6OnWhereTheHostHasItOff) {
  testing::write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  const HostLink link(settings_);
  EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24 fd00:10::10/64");
}

TEST_F(HostLinkTest, LeavesIpv6OffWhereNobodyAskedForIt) {
  testing::write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  settings_.addresses.pop_back();
  const HostLink link(settings_);
  EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24");
}

TEST_F(HostLinkTest, IsGoneAfterItsEnd) {
  { const HostLink link(settings_); }
  EXPECT_FALSE(look_at("tapipop").exists);
  const HostLink again(settings_);
  EXPECT_TRUE(look_at("tapipop").up);
}

TEST_F(HostLinkTest, IsGoneWhenItsProcessDies) {
  EXPECT_EQ(in_child([&] {
              // Never destroyed: the child ends as a killed one would.
              static const auto* const link = new HostLink(settings_);
              return std::string(look_at(link->name()).up ? "up" : "not up");
            }),
            "up");
  EXPECT_FALSE(look_at("tapipop").exists);
}

TEST_F(HostLinkTest, TakesOverAPersistentLeftover) {
  {
    const Fd leftover = make_tun("tapipop", kTap, true);
    auto netlink = Netlink::connect();
    const int link = static_cast<int>(if_nametoindex("tapipop"));
    ASSERT_TRUE(netlink->configure(link, {testing::kHostMac, 900, 7}));
    ASSERT_TRUE(netlink->bring_up(link));
    ASSERT_TRUE(netlink->add_address(link, {ip("192.168.10.10"), 24}));
    ASSERT_TRUE(netlink->add_address(link, {ip("10.77.0.1"), 16}));
  }
  ASSERT_TRUE(look_at("tapipop").exists);
  {
    const HostLink link(settings_);
    EXPECT_EQ(look_at("tapipop").mtu, 1300);
    EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24 fd00:10::10/64");
  }
  EXPECT_FALSE(look_at("tapipop").exists);
}

// Leftovers of another number of queues, either way.
TEST_F(HostLinkTest, TakesOverALeftoverWithOtherQueues) {
  for (const bool several : {false, true}) {
    { const Fd leftover = make_tun("tapipop", kTap | (several ? IFF_MULTI_QUEUE : 0), true); }
    ASSERT_TRUE(look_at("tapipop").exists);
    settings_.queues = several ? 1 : 3;
    const HostLink link(settings_);
    EXPECT_EQ(link.tap().queues.size(), settings_.queues);
    EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24 fd00:10::10/64");
  }
}

TEST_F(HostLinkTest, RefusesANameOfWhichAnotherHoldsAQueue) {
  const Fd holder = make_tun("tapipop", kTap | IFF_MULTI_QUEUE);
  for (const std::size_t queues : {1u, 2u}) {
    settings_.queues = queues;
    EXPECT_THAT(refusal(), HasSubstr("tapipop is held by another process"));
  }
  EXPECT_TRUE(look_at("tapipop").exists);
}

TEST_F(HostLinkTest, RefusesANameThatAnotherProcessHolds) {
  const Fd holder = make_tun("tapipop", kTap);
  EXPECT_THAT(refusal(), HasSubstr("tapipop is held by another process"));
  EXPECT_TRUE(look_at("tapipop").exists);
}

TEST_F(HostLinkTest, RefusesASecondLinkOfTheSameName) {
  const HostLink first(settings_);
  EXPECT_THAT(refusal(), HasSubstr("is held by another process"));
  EXPECT_EQ(addresses_of("tapipop"), "192.168.10.10/24 fd00:10::10/64");
}

TEST_F(HostLinkTest, RefusesANameThatIsNotATap) {
  const Fd tun = make_tun("tapipop", IFF_TUN | IFF_NO_PI);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("another interface called tapipop"),
                               HasSubstr("ip link delete tapipop")));
  settings_.name = "lo";
  EXPECT_THAT(refusal(), HasSubstr("another interface called lo"));
  EXPECT_TRUE(look_at("lo").up);
}

TEST_F(HostLinkTest, RefusesANameThatIsNone) {
  for (const char* name : {"", "tap%d", "a/b", "sixteen-letters-", "two words", ".."}) {
    settings_.name = name;
    EXPECT_THAT(refusal(), HasSubstr("is not a name for an interface")) << name;
  }
}

TEST_F(HostLinkTest, RefusesAnAddressThatAnotherInterfaceHas) {
  const Fd other = make_other({ip("192.168.10.10"), 32});
  EXPECT_THAT(refusal(), HasSubstr("192.168.10.10 is already an address of other0"));
  EXPECT_FALSE(look_at("tapipop").exists);
}

TEST_F(HostLinkTest, RefusesASubnetThatAnotherInterfaceHas) {
  for (const char* text : {"192.168.10.1/24", "192.168.10.130/25", "192.168.1.1/16"}) {
    const Fd other = make_other(*Prefix::parse(text));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("192.168.10.0/24"), HasSubstr(text), HasSubstr("other0"),
                                 HasSubstr("choose another subnet")));
    EXPECT_FALSE(look_at("tapipop").exists);
  }
  const Fd other = make_other({ip("fd00:10::1"), 64});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("fd00:10::/64"), HasSubstr("other0")));
}

TEST_F(HostLinkTest, ToleratesASubnetNextDoor) {
  const Fd other = make_other({ip("192.168.11.1"), 24});
  EXPECT_EQ(refusal(), "");
}

TEST_F(HostLinkTest, LeavesNothingAfterAFailureHalfWay) {
  settings_.addresses.push_back(settings_.addresses.front());
  EXPECT_THAT(refusal(), AllOf(HasSubstr("tapipop"), HasSubstr("adding 192.168.10.10/24")));
  EXPECT_FALSE(look_at("tapipop").exists);
  settings_.addresses.clear();
  EXPECT_THAT(refusal(), HasSubstr("without an address"));
}

TEST_F(HostLinkTest, SaysThatItNeedsACapability) {
  EXPECT_THAT(in_child([&] {
                if (::setresuid(65534, 65534, 65534) != 0) return std::string("setresuid failed");
                return refusal();
              }),
              HasSubstr("CAP_NET_ADMIN"));
}

TEST_F(HostLinkTest, SaysThatTheDeviceIsMissing) {
  EXPECT_THAT(in_child([&] {
                if (::unshare(CLONE_NEWNS) != 0 ||
                    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                    ::mount("none", "/dev/net", "tmpfs", 0, nullptr) != 0) {
                  return std::string("cannot hide /dev/net");
                }
                return refusal();
              }),
              AllOf(HasSubstr("/dev/net/tun is missing"), HasSubstr("modprobe tun")));
}

TEST_F(HostLinkTest, AddsAndRemovesRoutes) {
  HostLink link(settings_);
  const Fd socket = udp_socket({ip("0.0.0.0"), 0});
  const Fd socket6 = udp_socket({ip("::"), 0});
  const Endpoint far{ip("10.9.1.2"), 9};
  const Endpoint far6{ip("fd00:99::2"), 9};
  EXPECT_EQ(send_to(socket, far, "x"), ENETUNREACH);
  EXPECT_EQ(send_to(socket6, far6, "x"), ENETUNREACH);
  for (const char* prefix : {"10.9.3.4/16", "fd00:99::/32"}) {
    const Prefix route = *Prefix::parse(prefix);
    EXPECT_TRUE(link.add_route(route)) << prefix;
    EXPECT_TRUE(link.add_route(route)) << prefix << " again";
  }
  EXPECT_EQ(send_to(socket, far, "x"), 0);
  EXPECT_EQ(send_to(socket6, far6, "x"), 0);
  for (const char* prefix : {"10.9.0.0/16", "fd00:99::/32"}) {
    const Prefix route = *Prefix::parse(prefix);
    EXPECT_TRUE(link.remove_route(route)) << prefix;
    EXPECT_TRUE(link.remove_route(route)) << prefix << " again";
  }
  EXPECT_EQ(send_to(socket, far, "x"), ENETUNREACH);
  EXPECT_EQ(send_to(socket6, far6, "x"), ENETUNREACH);
}

TEST_F(HostLinkTest, RefusesRoutesThatWouldHurt) {
  const Fd other = make_other({ip("172.16.0.1"), 24});
  settings_.addresses.pop_back();
  HostLink link(settings_);
  struct Case {
    const char* prefix;
    const char* expected;
  };
  for (const auto& [prefix, expected] :
       {Case{"172.16.0.0/24", "already routes 172.16.0.0/24"}, Case{"0.0.0.0/0", "default route"},
        Case{"::/0", "default route"}, Case{"fd00:99::/32", "no address of the family"}}) {
    const auto added = link.add_route(*Prefix::parse(prefix));
    ASSERT_FALSE(added) << prefix;
    EXPECT_THAT(added.error().message, AllOf(HasSubstr("tapipop"), HasSubstr(expected)));
  }
  // Not ours, so not ours to remove.
  EXPECT_TRUE(link.remove_route(*Prefix::parse("172.16.0.0/24")));
  const Fd socket = udp_socket({ip("0.0.0.0"), 0});
  EXPECT_EQ(send_to(socket, {ip("172.16.0.2"), 9}, "x"), 0);
}

TEST_F(HostLinkTest, NeedsNoRouteInsideItsOwnSubnet) {
  HostLink link(settings_);
  EXPECT_TRUE(link.add_route(*Prefix::parse("192.168.10.0/24")));
  EXPECT_TRUE(link.add_route(*Prefix::parse("192.168.10.20/32")));
  EXPECT_TRUE(link.remove_route(*Prefix::parse("192.168.10.0/24")));
  const Fd socket = udp_socket({ip("0.0.0.0"), 0});
  EXPECT_EQ(send_to(socket, {ip("192.168.10.20"), 9}, "x"), 0);
}

TEST_F(HostLinkTest, ReportsARouteThatTheKernelRefuses) {
  HostLink link(settings_);
  testing::delete_interface("tapipop");
  const auto added = link.add_route(*Prefix::parse("10.9.0.0/16"));
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("10.9.0.0/16"));
}

}  // namespace
}  // namespace ipop::kni
