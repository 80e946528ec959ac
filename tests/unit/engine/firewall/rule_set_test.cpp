#include "engine/firewall/rule_set.hpp"

#include "engine/firewall/rule_text.hpp"
#include "tests/unit/engine/firewall/packets_between.hpp"

namespace ipop::engine::firewall {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef01234567";

struct Case {
  const char* description;
  std::string rule;  // of the one inbound rule, which allows
  Between packet;
  PeerNames peer;
  bool matches;
};

bool allowed(const RuleSet& set, const Between& packet, const PeerNames& peer) {
  PacketFacts facts;
  EXPECT_TRUE(read_facts(made(packet), packet.direction, facts));
  return set.decide(packet.direction, facts, set.marks_of(peer)).allow;
}

void check(std::span<const Case> cases) {
  for (const Case& test : cases) {
    for (const Direction direction : {Direction::kIn, Direction::kOut}) {
      const bool in = direction == Direction::kIn;
      const RuleSet set(rules(std::string("  default_inbound: deny\n  default_outbound: deny\n  ") +
                              (in ? "inbound" : "outbound") + ": [{action: allow" +
                              (test.rule.empty() ? "" : ", " + test.rule) + "}]\n"));
      Between packet = test.packet;
      packet.direction = direction;
      // What is asked of a port is asked of the destination's.
      if (!in) std::swap(packet.local_port, packet.remote_port);
      EXPECT_EQ(allowed(set, packet, test.peer), test.matches)
          << test.description << (in ? ", in" : ", out");
      packet.direction = opposite(direction);
      EXPECT_FALSE(allowed(set, packet, test.peer)) << test.description << ", the other way";
    }
  }
}

Between six(Between packet) {
  packet.remote = ip("fd00::2");
  packet.local = ip("fd00::1");
  if (packet.protocol == kIcmp) packet.protocol = kIcmpv6;
  return packet;
}

TEST(RuleSet, MatchesProtocolsAndPorts) {
  const Case cases[] = {
      {"anything", "", {}, {}, true},
      {"any protocol", "protocol: any", {.protocol = 47}, {}, true},
      {"TCP", "protocol: tcp", {}, {}, true},
      {"TCP in IPv6", "protocol: tcp", six({}), {}, true},
      {"UDP is not TCP", "protocol: tcp", {.protocol = kUdp}, {}, false},
      {"one of two", "protocol: [tcp, udp]", {.protocol = kUdp}, {}, true},
      {"a number", "protocol: 47", {.protocol = 47}, {}, true},
      {"another number", "protocol: 47", {.protocol = 50}, {}, false},
      {"a port", "protocol: tcp, ports: 22", {}, {}, true},
      {"another port", "protocol: tcp, ports: 23", {}, {}, false},
      {"a port of any protocol", "ports: 22", {.protocol = kUdp}, {}, true},
      {"a port of SCTP", "ports: 22", {.protocol = kSctp}, {}, true},
      {"no port", "ports: 0-65535", {.protocol = 47}, {}, false},
      {"ICMP has no port", "ports: 0-65535", {.protocol = kIcmp}, {}, false},
      {"the first of a range", "ports: 22-30", {.local_port = 22}, {}, true},
      {"the last of a range", "ports: 22-30", {.local_port = 30}, {}, true},
      {"behind a range", "ports: 22-30", {.local_port = 31}, {}, false},
      {"before a range", "ports: 22-30", {.local_port = 21}, {}, false},
      {"between two ranges", "ports: [22-30, 40]", {.local_port = 35}, {}, false},
      {"in the second range", "ports: [22-30, 40]", {.local_port = 40}, {}, true},
      {"the source's port", "ports: 40000", {}, {}, false},
      {"TCP behind options",
       "protocol: tcp, ports: 22",
       [] {
         Between packet = six({});
         packet.extensions = {{60, Bytes(8)}};
         return packet;
       }(),
       {},
       true},
  };
  check(cases);
}

TEST(RuleSet, MatchesIcmp) {
  const Case cases[] = {
      {"ICMP", "protocol: icmp", {.protocol = kIcmp}, {}, true},
      {"ICMPv6", "protocol: icmp", six({.protocol = kIcmp}), {}, true},
      {"ICMPv6 by its number", "protocol: 58", six({.protocol = kIcmp}), {}, true},
      {"ICMP's number is not ICMPv6", "protocol: 1", six({.protocol = kIcmp}), {}, false},
      {"ICMPv6 in IPv4 is none", "protocol: icmp", {.protocol = kIcmpv6}, {}, false},
      {"TCP is not ICMP", "protocol: icmp", {}, {}, false},
      {"echo", "protocol: icmp, icmp_types: echo", {.protocol = kIcmp}, {}, true},
      {"echo in IPv6",
       "protocol: icmp, icmp_types: echo",
       six({.protocol = kIcmp, .icmp_type = 128}),
       {},
       true},
      {"IPv4's echo in IPv6",
       "protocol: icmp, icmp_types: echo",
       six({.protocol = kIcmp, .icmp_type = 8}),
       {},
       false},
      {"a type",
       "protocol: icmp, icmp_types: [3, 11]",
       {.protocol = kIcmp, .icmp_type = 11},
       {},
       true},
      {"another type",
       "protocol: icmp, icmp_types: [3, 11]",
       {.protocol = kIcmp, .icmp_type = 5},
       {},
       false},
      {"a type of what is no ICMP",
       "protocol: 58, icmp_types: 0",
       {.protocol = kIcmpv6},
       {},
       false},
  };
  check(cases);
}

TEST(RuleSet, MatchesAddresses) {
  const Case cases[] = {
      {"the remote address", "remote: 10.0.0.2", {}, {}, true},
      {"another remote address", "remote: 10.0.0.3", {}, {}, false},
      {"a subnet", "remote: 10.0.0.0/30", {}, {}, true},
      {"the next subnet", "remote: 10.0.0.4/30", {}, {}, false},
      {"one of several", "remote: [10.9.0.0/16, 10.0.0.2]", {}, {}, true},
      {"all of IPv4", "remote: 0.0.0.0/0", {}, {}, true},
      {"all of IPv4 is not IPv6", "remote: 0.0.0.0/0", six({}), {}, false},
      {"all of IPv6", "remote: \"::/0\"", six({}), {}, true},
      {"all of IPv6 is not IPv4", "remote: \"::/0\"", {}, {}, false},
      {"IPv6", "remote: \"fd00::/64\"", six({}), {}, true},
      {"IPv6, odd bits", "remote: \"fd00::/127\"", six({}), {}, false},
      {"the local address", "local: 10.0.0.1", {}, {}, true},
      {"the remote address is not the local", "local: 10.0.0.2", {}, {}, false},
      {"both", "remote: 10.0.0.2, local: 10.0.0.1", {}, {}, true},
      {"only one of both", "remote: 10.0.0.2, local: 10.0.0.9", {}, {}, false},
  };
  check(cases);
}

TEST(RuleSet, MatchesPeers) {
  const PeerNames bob{.names = {"bob", "bob.example"}, .node_id = kId, .groups = {"web", "db"}};
  const Case cases[] = {
      {"a group", "groups: web", {}, bob, true},
      {"one of several groups", "groups: [admin, db]", {}, bob, true},
      {"another group", "groups: admin", {}, bob, false},
      {"a group's case counts", "groups: Web", {}, bob, false},
      {"nobody's group", "groups: web", {}, {}, false},
      {"all groups", "all_groups: [web, db]", {}, bob, true},
      {"not all groups", "all_groups: [web, admin]", {}, bob, false},
      {"a name", "peers: bob", {}, bob, true},
      {"a name's case does not count", "peers: BOB.example", {}, bob, true},
      {"another name", "peers: eve", {}, bob, false},
      {"one of several names", "peers: [eve, bob]", {}, bob, true},
      {"a node id", "peers: " + kId, {}, bob, true},
      {"a name that looks like a node id", "peers: " + kId, {}, {.names = {kId}}, false},
      {"a group is not a name", "peers: web", {}, bob, false},
      {"group and name", "groups: web, peers: bob", {}, bob, true},
      {"group, and not the name", "groups: web, peers: eve", {}, bob, false},
      {"everything",
       "groups: web, peers: bob, remote: 10.0.0.2, protocol: tcp, ports: 22",
       {},
       bob,
       true},
  };
  check(cases);
}

TEST(RuleSet, TakesTheFirstRuleThatMatches) {
  const RuleSet set(rules(R"(
  inbound:
    - {action: deny, protocol: tcp, ports: 22, remote: 10.0.0.9}
    - {action: allow, protocol: tcp, ports: 20-30}
    - {action: deny, protocol: tcp}
    - {action: allow, protocol: udp}
  outbound:
    - {action: deny, protocol: udp}
  default_inbound: deny
)"));
  const struct {
    const char* description;
    Between packet;
    Decision decision;
  } cases[] = {
      {"the first", {.remote = ip("10.0.0.9")}, {false, 0}},
      {"the second", {}, {true, 1}},
      {"the third", {.local_port = 80}, {false, 2}},
      {"the fourth", {.protocol = kUdp}, {true, 3}},
      {"inbound default", {.protocol = kIcmp}, {false, 5}},
      {"outbound", {.direction = Direction::kOut, .protocol = kUdp}, {false, 4}},
      {"outbound default", {.direction = Direction::kOut}, {true, 6}},
  };
  for (const auto& test : cases) {
    PacketFacts facts;
    ASSERT_TRUE(read_facts(made(test.packet), test.packet.direction, facts));
    const Decision got = set.decide(test.packet.direction, facts, {});
    EXPECT_EQ(got.allow, test.decision.allow) << test.description;
    EXPECT_EQ(got.rule, test.decision.rule) << test.description;
    EXPECT_EQ(set.direction_of(got.rule), test.packet.direction) << test.description;
  }
  EXPECT_EQ(set.size(), 7);
}

TEST(RuleText, SaysWhatARuleAsks) {
  const struct {
    std::string rule;
    std::string in;
    std::string out;
  } cases[] = {
      {"action: deny", "deny any", "deny any"},
      {"action: deny, protocol: [tcp, 47], groups: [a, b]",
       "deny tcp/protocol 47 from group a or b", "deny tcp/protocol 47 to group a or b"},
      {"action: deny, protocol: tcp, ports: [22, 80-90], peers: bob, remote: 10.0.0.0/8, "
       "local: 10.0.0.1",
       "deny tcp 22,80-90 from peer bob, 10.0.0.0/8 to 10.0.0.1/32",
       "deny tcp 22,80-90 to peer bob, 10.0.0.0/8 from 10.0.0.1/32"},
      {"action: deny, protocol: icmp, icmp_types: [echo, 3], all_groups: [a, b]",
       "deny icmp echo,type 3 from group a and b", "deny icmp echo,type 3 to group a and b"},
  };
  for (const auto& test : cases) {
    const conf::Firewall firewall = rules("  inbound: [{" + test.rule + "}]\n");
    ASSERT_EQ(firewall.inbound.size(), 1u);
    EXPECT_EQ(text_of(firewall.inbound[0], Direction::kIn), test.in);
    EXPECT_EQ(text_of(firewall.inbound[0], Direction::kOut), test.out);
  }
}

}  // namespace
}  // namespace ipop::engine::firewall
