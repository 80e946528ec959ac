// The section `firewall:`: what it means, and what is said of each mistake in it.
#include "conf/firewall.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "conf/load.hpp"

namespace ipop::conf {
namespace {

const std::string kGood = "network: {name: n, address: 10.0.0.1/24}\n";

Firewall load(const std::string& section) {
  const auto loaded = load_text(kGood + section, "f");
  EXPECT_TRUE(loaded) << to_string(loaded.error());
  return loaded ? loaded->firewall : Firewall{};
}

std::string errors_of(const std::string& section) {
  const auto loaded = load_text(kGood + "firewall: " + section + "\n", "f");
  return loaded ? "" : to_string(loaded.error());
}

std::string rule(const std::string& keys) {
  return "{inbound: [{action: deny, " + keys + "}]}";
}

TEST(Firewall, IsOffByItself) {
  EXPECT_TRUE(load("").is_off());
  EXPECT_TRUE(load("firewall: {}\n").is_off());
  EXPECT_TRUE(load("firewall: {inbound: [], outbound: []}\n").is_off());
  EXPECT_FALSE(load("firewall: {default_inbound: deny}\n").is_off());
  EXPECT_FALSE(load("firewall: {default_outbound: deny}\n").is_off());
  EXPECT_FALSE(load("firewall: {outbound: [{action: deny}]}\n").is_off());
}

TEST(Firewall, ReadsEveryKey) {
  const Firewall firewall = load(R"(
firewall:
  default_inbound: deny
  default_outbound: allow
  max_flows: 4096
  inbound:
    - name: the web
      action: allow
      groups: [web, db]
      all_groups: admin
      peers: [bob, 0123456789abcdef0123456789abcdef01234567]
      remote: [10.1.0.0/16, "fd00::/8"]
      local: 10.0.0.1
      protocol: [tcp, 17, sctp]
      ports: [22, 8000-8010]
    - {action: deny, protocol: icmp, icmp_types: [echo, 3]}
  outbound:
    - {action: deny, protocol: any}
)");
  EXPECT_EQ(firewall.default_inbound, FirewallAction::kDeny);
  EXPECT_EQ(firewall.default_outbound, FirewallAction::kAllow);
  EXPECT_EQ(firewall.max_flows, 4096u);
  ASSERT_EQ(firewall.inbound.size(), 2u);
  const FirewallRule expected{.name = "the web",
                              .action = FirewallAction::kAllow,
                              .groups = {"web", "db"},
                              .all_groups = {"admin"},
                              .peers = {"bob", "0123456789abcdef0123456789abcdef01234567"},
                              .remote = {*Prefix::parse("10.1.0.0/16"), *Prefix::parse("fd00::/8")},
                              .local = {*Prefix::parse("10.0.0.1/32")},
                              .protocols = {6, 17, 132},
                              .ports = {{22, 22}, {8000, 8010}},
                              .icmp_types = {}};
  EXPECT_EQ(firewall.inbound[0], expected);
  EXPECT_EQ(firewall.inbound[1].protocols, std::vector<std::uint16_t>{kIcmpOfEither});
  EXPECT_EQ(firewall.inbound[1].icmp_types, (std::vector<std::uint16_t>{kEchoOfEither, 3}));
  ASSERT_EQ(firewall.outbound.size(), 1u);
  EXPECT_TRUE(firewall.outbound[0].protocols.empty());
  EXPECT_EQ(load("firewall: {max_flows: auto}\n").max_flows, Firewall::kDefaultFlows);
}

TEST(Firewall, SaysWhatIsWrong) {
  const struct {
    const char* description;
    std::string section;
    std::string error;
  } cases[] = {
      {"no action", "{inbound: [{ports: 22}]}", "firewall.inbound[0].action is required"},
      {"a wrong action", "{inbound: [{action: reject}]}",
       "firewall.inbound[0].action: \"reject\" is not one of: allow, deny"},
      {"a wrong default", "{default_inbound: drop}",
       "firewall.default_inbound: \"drop\" is not one of: allow, deny"},
      {"an unknown key", rule("port: 22"),
       "unknown key \"port\" in firewall.inbound[0] (did you mean ports?)"},
      {"a wrong protocol", rule("protocol: tpc"),
       "firewall.inbound[0].protocol: \"tpc\" is not one of: any, tcp, udp, icmp, sctp, or a "
       "number from 0 to 255"},
      {"a protocol beyond all", rule("protocol: 256"), "or a number from 0 to 255"},
      {"any and another", rule("protocol: [any, tcp]"), "protocol: any stands alone"},
      {"a wrong port", rule("ports: ssh"),
       "firewall.inbound[0].ports: \"ssh\" is not a port, such as 22 or 8000-8010"},
      {"a port beyond all", rule("ports: 65536"), "is not a port"},
      {"half a range", rule("ports: 22-"), "is not a port"},
      {"a range the wrong way", rule("ports: 30-22"), "\"30-22\" ends before it begins"},
      {"ports of ICMP", rule("protocol: icmp, ports: 22"),
       "firewall.inbound[0].ports: only tcp, udp and sctp have ports"},
      {"types of anything", rule("icmp_types: echo"),
       "firewall.inbound[0].icmp_types: needs protocol: icmp"},
      {"types of TCP", rule("protocol: tcp, icmp_types: 3"), "icmp_types: needs protocol: icmp"},
      {"a wrong type", rule("protocol: icmp, icmp_types: ping"),
       "\"ping\" is not echo or a number from 0 to 255"},
      {"a wrong subnet", rule("remote: 10.0.0.1/24"),
       "firewall.inbound[0].remote: \"10.0.0.1/24\" has bits set beyond its length; write "
       "10.0.0.0/24"},
      {"no group", rule("groups: \"\""), "is not a group: 1 to 64 bytes"},
      {"no peer", rule("peers: \"\""), "a peer needs a name, or a node id of 40 digits"},
      {"an empty list", rule("groups: []"), "firewall.inbound[0].groups must not be empty"},
      {"rules that deny nothing", "{inbound: [{action: allow, ports: 22}]}",
       "firewall.inbound: these rules deny nothing: add one that does, or set "
       "firewall.default_inbound to deny"},
      {"rules that deny nothing, outbound", "{default_inbound: deny, outbound: [{action: allow}]}",
       "set firewall.default_outbound to deny"},
      {"a word for rules", "{inbound: deny}", "firewall.inbound must be a list"},
      {"too few flows", "{max_flows: 10}", "\"10\" is not auto or a number from 1024 to 16777216"},
  };
  for (const auto& test : cases) {
    const std::string said = errors_of(test.section);
    EXPECT_NE(said.find(test.error), std::string::npos) << test.description << ": " << said;
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << test.description << ": " << said;
  }
}

TEST(Firewall, HasLimits) {
  std::string many;
  for (std::size_t i = 0; i <= kMostFirewallRules; ++i)
    many += "{action: deny},";
  EXPECT_NE(errors_of("{inbound: [" + many + "]}").find("at most 1024 rules"), std::string::npos);
  std::string ports;
  for (int i = 0; i < 65; ++i)
    ports += std::to_string(i) + ",";
  EXPECT_NE(errors_of(rule("ports: [" + ports + "]")).find("at most 64 in one rule"),
            std::string::npos);
  const auto groups = [](std::size_t count) {
    std::string rules;
    for (std::size_t i = 0; i < count; ++i)
      rules += "{action: deny, groups: g" + std::to_string(i) + "},";
    return "{inbound: [" + rules + "]}";
  };
  EXPECT_EQ(errors_of(groups(kMostPeerMarks)), "");
  EXPECT_NE(errors_of(groups(kMostPeerMarks + 1)).find("at most 128 groups and peers in all"),
            std::string::npos);
}

}  // namespace
}  // namespace ipop::conf
