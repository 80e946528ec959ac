#include "overlay/nat/stun_servers.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};
using Endpoints = std::vector<Endpoint>;

const Endpoint kThere{IpAddress::v4(0xc0000201), 3478};

TEST(StunServers, KnowAddressesAtOnce) {
  StunServers servers({{"192.0.2.1", 3478}, {"2001:db8::1", 99}});
  EXPECT_EQ(servers.endpoints(kStart), (Endpoints{kThere, *Endpoint::parse("[2001:db8::1]:99")}));
  EXPECT_TRUE(StunServers({}).endpoints(kStart).empty());
}

TEST(StunServers, AskAgainForANameThatWasNotThere) {
  std::atomic<int> asked = 0;
  StunServers servers({{"stun.example", 3478}},
                      [&](const conf::HostPort&) -> Result<std::vector<Endpoint>> {
                        if (++asked == 1) return fail("stun.example: no such name");
                        return Endpoints{kThere};
                      });
  EXPECT_TRUE(servers.endpoints(kStart).empty());
  // Names are looked up by threads, which take a moment; meanwhile it gets later and later.
  Endpoints found;
  for (Instant now = kStart; found.empty() && now < kStart + 24h; now += 20s) {
    ::poll(nullptr, 0, 1);
    found = servers.endpoints(now);
  }
  EXPECT_EQ(found, Endpoints{kThere});
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace ipop::overlay
