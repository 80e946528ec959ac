// The firewall in the packet path: two engines, each packet's fate, and the counters of the rules.
// What a rule means is tested in firewall/.
#include <gtest/gtest.h>

#include "conf/load.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

conf::Firewall rules(const std::string& section) {
  const auto loaded = conf::load_text(
      "network: {name: n, address: 10.0.0.1/24, hostname: h}\nfirewall: " + section, "f");
  EXPECT_TRUE(loaded) << conf::to_string(loaded.error());
  return loaded ? loaded->firewall : conf::Firewall{};
}

class FirewallTunnel : public testing::Test {
 protected:
  void set(EngineNode& node, const std::string& section,
           const std::vector<std::string>& groups = {}) {
    node.table.set_firewall(rules(section), [groups](const firewall::RuleSet& set, PeerIndex) {
      return set.marks_of({.names = {}, .node_id = "", .groups = groups});
    });
  }
  // Alice sends, bob's host gets so many.
  std::size_t deliver(const std::vector<PacketSpec>& specs) {
    for (const PacketSpec& spec : specs)
      pair.alice.from_host(frame_of(build(spec)));
    pair.exchange();
    return pair.bob.to_host().size();
  }
  std::size_t answer(const PacketSpec& spec) {
    PacketSpec back = spec;
    std::swap(back.from, back.to);
    std::swap(back.from_port, back.to_port);
    back.flags |= tcp::kAck;
    pair.bob.from_host(frame_of(build(back)));
    pair.exchange();
    return pair.alice.to_host().size();
  }
  static std::vector<RuleCount> counted(EngineNode& node) {
    return node.table.firewall_counts(node.now).rules;
  }

  EnginePair pair;
  PacketSpec ssh{.to_port = 22, .flags = tcp::kSyn};
  PacketSpec web{.to_port = 80, .flags = tcp::kSyn};
};

TEST_F(FirewallTunnel, LetsInWhatARuleAllowsAndItsAnswersOut) {
  set(pair.bob,
      "{default_inbound: deny, default_outbound: deny, inbound: [{action: allow, protocol: tcp, "
      "ports: 22}]}\n");
  EXPECT_EQ(deliver({ssh}), 1u);
  EXPECT_EQ(deliver({web}), 0u);
  EXPECT_EQ(answer(ssh), 1u);
  EXPECT_EQ(answer(web), 0u);
  EXPECT_EQ(pair.bob.count(Fate::kDropFirewallIn), 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDropFirewallOut), 1u);
  const auto rules = counted(pair.bob);
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].packets, 2u);
  EXPECT_EQ(rules[1].packets, 1u);
  EXPECT_EQ(rules[2].packets, 1u);
  EXPECT_EQ(pair.bob.table.firewall_counts(pair.bob.now).flows, 1u);
  // What did not come in is not the peer's data.
  EXPECT_EQ(pair.bob.table.counters(pair.alice_at_bob.peer).rx_packets, 1u);
}

TEST_F(FirewallTunnel, TellsTheHostWhatMayNotLeave) {
  set(pair.alice, "{outbound: [{action: deny, protocol: tcp, ports: 80}]}\n");
  EXPECT_EQ(deliver({web}), 0u);
  const auto told = pair.alice.to_host();
  ASSERT_EQ(told.size(), 1u);
  const Bytes icmp = packet_of(told[0]);
  EXPECT_EQ(icmp[9], 1);
  EXPECT_EQ(icmp[20], 3);
  EXPECT_EQ(icmp[21], 13) << "communication administratively prohibited";
  EXPECT_EQ(pair.alice.count(Fate::kDropFirewallOut), 1u);
  EXPECT_EQ(deliver({ssh}), 1u);
}

TEST_F(FirewallTunnel, GoesByThePeersGroups) {
  const std::string web_group =
      "{default_inbound: deny, inbound: [{action: allow, groups: web}]}\n";
  set(pair.bob, web_group);
  EXPECT_EQ(deliver({ssh}), 0u);
  firewall::PeerMarks marks =
      pair.bob.table.firewall_rules()->marks_of({.names = {}, .node_id = "", .groups = {"web"}});
  pair.bob.table.set_marks(pair.alice_at_bob.peer, marks);
  EXPECT_EQ(deliver({ssh}), 1u);
  // Other rules, in which the group is another bit, without a moment in between.
  set(pair.bob,
      "{default_inbound: deny, inbound: [{action: deny, groups: db}, {action: allow, groups: web}]}"
      "\n",
      {"web"});
  EXPECT_EQ(deliver({ssh, web}), 2u);
  pair.bob.table.set_marks(pair.alice_at_bob.peer, {});
  EXPECT_EQ(deliver({ssh, web}), 0u);
}

TEST_F(FirewallTunnel, IsGoneWithItsRules) {
  set(pair.bob, "{default_inbound: deny}\n");
  EXPECT_EQ(deliver({ssh}), 0u);
  set(pair.bob, "{}\n");
  EXPECT_EQ(deliver({ssh}), 1u);
  EXPECT_FALSE(pair.bob.table.firewall_counts(pair.bob.now).on);
  pair.bob.table.reclaim();
  EXPECT_EQ(pair.bob.table.pending(), 0u);
}

TEST_F(FirewallTunnel, JudgesWhatWaitedWhenItGoes) {
  set(pair.alice, "{outbound: [{action: deny, protocol: tcp, ports: 80}]}\n");
  const IpAddress carol = ip("10.0.0.3");
  for (PacketSpec spec : {ssh, web}) {
    spec.to = carol;
    pair.alice.from_host(frame_of(build(spec)));
  }
  pair.alice.turn();
  EXPECT_EQ(pair.alice.counters().staged, 2u);
  ASSERT_TRUE(pair.alice.table.add_route(Prefix::host(carol), pair.bob_at_alice.peer));
  pair.alice.orders.retry_staged();
  pair.alice.turn();
  EXPECT_EQ(pair.alice.to_wire().size(), 1u);
  EXPECT_EQ(pair.alice.count(Fate::kDropFirewallOut), 1u);
}

TEST_F(FirewallTunnel, JudgesSuperPacketsOnceAndCountsTheirSegments) {
  for (const bool partial : {false, true}) {
    EnginePair both({.partial_checksums = partial});
    set(both.alice, "{default_outbound: deny, outbound: [{action: allow, ports: 22}]}\n");
    set(both.bob, "{default_inbound: deny, inbound: [{action: allow, ports: 22}]}\n");
    PacketSpec super{.to_port = 22, .payload = Bytes(13'000, 7), .checksum = Checksum::kPartial};
    both.alice.from_host(marked_frame(super, 1300));
    super.to_port = 80;
    both.alice.from_host(marked_frame(super, 1300));
    both.exchange();
    EXPECT_EQ(both.bob.to_host_marked().size(), 1u) << "one super-packet";
    EXPECT_EQ(both.alice.count(Fate::kSent), 10u);
    EXPECT_EQ(both.alice.count(Fate::kDropFirewallOut), 10u);
    EXPECT_EQ(counted(both.alice)[0].packets, 10u);
    EXPECT_EQ(counted(both.alice)[0].bytes, 13'040u);
    EXPECT_EQ(counted(both.alice)[2].packets, 10u);
    // Also those that continued the run of the first.
    EXPECT_EQ(counted(both.bob)[0].packets, 10u);
    EXPECT_EQ(counted(both.bob)[0].bytes, 10u * 1340);
    (void)both.alice.to_host();
  }
}

TEST_F(FirewallTunnel, CountsRunsForTheirOwnRule) {
  set(pair.bob, "{inbound: [{action: deny, ports: 80}, {action: allow, ports: 22}]}\n");
  PacketSpec udp{.is_tcp = false, .to_port = 53};
  ssh.flags = tcp::kAck;
  std::vector<PacketSpec> burst;
  for (std::uint32_t i = 0; i < 6; ++i) {
    ssh.sequence = i * 100;
    ssh.payload = Bytes(100);
    ssh.id = static_cast<std::uint16_t>(i);
    burst.push_back(ssh);
    if (i == 2) burst.push_back(web);
    if (i == 4) burst.push_back(udp);
  }
  (void)deliver(burst);
  const auto rules = counted(pair.bob);
  EXPECT_EQ(rules[0].packets, 1u);
  EXPECT_EQ(rules[1].packets, 6u);
  EXPECT_EQ(rules[2].packets, 1u);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 7u);
}

TEST_F(FirewallTunnel, MakesNoFlowOfAForgedSource) {
  set(pair.bob, "{default_outbound: deny}\n");
  ssh.from = ip("10.0.0.99");  // not alice's
  EXPECT_EQ(deliver({ssh}), 0u);
  EXPECT_EQ(pair.bob.count(Fate::kDropSourceNotAllowed), 1u);
  EXPECT_EQ(pair.bob.table.firewall_counts(pair.bob.now).flows, 0u);
}

}  // namespace
}  // namespace ipop::engine
