#include "app/cli/netcheck_text.hpp"

#include <gtest/gtest.h>

namespace ipop::app {
namespace {

using overlay::NatStatus;

TEST(NetcheckText, SaysWhoSawWhatAndWhatItMeans) {
  const NatStatus nat{
      .kind = "endpoint-independent",
      .ipv4 = "endpoint-independent",
      .ipv6 = "unknown",
      .filtering = "address-dependent",
      .mapped = {"203.0.113.5:61000"},
      .servers = {{.endpoint = "192.0.2.1:3478", .mapped = "203.0.113.5:61000", .rtt_ms = 12.34},
                  {.endpoint = "198.51.100.200:3478", .mapped = {}, .rtt_ms = {}},
                  {.endpoint = "[2001:db8::1]:3478", .mapped = {}, .rtt_ms = {}}}};
  EXPECT_EQ(netcheck_text(nat),
            "IPv4  UDP works: 1 of 2 servers answer\n"
            "      a NAT that maps alike towards all: others reach this node while it sends to "
            "them (endpoint-independent)\n"
            "      it lets in hosts that this node has sent to (address-dependent)\n"
            "      outside: 203.0.113.5:61000\n"
            "IPv6  UDP does not get through, or no server runs: none of 1 answers\n"
            "\n"
            "STUN servers\n"
            "  192.0.2.1:3478       sees 203.0.113.5:61000, 12.3 ms\n"
            "  198.51.100.200:3478  no answer\n"
            "  [2001:db8::1]:3478   no answer\n");
}

TEST(NetcheckText, SaysThatNobodyWasAsked) {
  EXPECT_EQ(netcheck_text({}),
            "IPv4  no STUN server to ask: overlay.stun names none\n"
            "IPv6  no STUN server to ask: overlay.stun names none\n");
}

// Peers see us, too.
TEST(NetcheckText, TellsANatThatOnlyPeersSaw) {
  NatStatus nat;
  nat.ipv6 = "none";
  nat.ipv4 = "endpoint-dependent";
  nat.mapped = {"203.0.113.5:1", "203.0.113.5:2"};
  const std::string text = netcheck_text(nat);
  EXPECT_NE(text.find("maps anew for each destination"), std::string::npos) << text;
  EXPECT_NE(text.find("no NAT: others reach this node at its own addresses (none)"),
            std::string::npos)
      << text;
}

TEST(NetcheckText, TellsWhatTheRouterForwards) {
  NatStatus nat;
  nat.port_mapping = {
      .protocol = "upnp", .outside = "203.0.113.9:4545", .expires_s = 3541, .why = {}};
  EXPECT_NE(netcheck_text(nat).find(
                "Router  forwards 203.0.113.9:4545 to this node by upnp, 60 min left\n"),
            std::string::npos);
  nat.port_mapping.expires_s.reset();
  nat.port_mapping.why = "its outside, 10.0.0.2, is private: another NAT is behind it";
  EXPECT_NE(netcheck_text(nat).find("by upnp, without an end\n"
                                    "        of no use to others: its outside, 10.0.0.2, is "
                                    "private: another NAT is behind it\n"),
            std::string::npos);
}

TEST(NetcheckText, TellsWhyTheRouterForwardsNothing) {
  NatStatus nat;
  nat.port_mapping.why = "no gateway answers";
  EXPECT_NE(netcheck_text(nat).find("Router  no port: no gateway answers\n"), std::string::npos);
}

}  // namespace
}  // namespace ipop::app
