// What becomes of flows: by time, by other rules, by other groups, and by too many of them.
#include "tests/unit/engine/firewall/gates.hpp"

namespace ipop::engine::firewall {
namespace {

TEST_F(Gates, ForgetFlowsInTheirTime) {
  const struct {
    const char* description;
    std::vector<Between> packets;
    std::chrono::seconds lasts;
    Between answer;
  } cases[] = {
      {"UDP, not answered", {udp(kOut)}, std::chrono::seconds(60), udp(kIn)},
      {"UDP, answered", {udp(kOut), udp(kIn)}, std::chrono::seconds(300), udp(kIn)},
      {"TCP, not answered", {tcp(kOut, kSyn)}, std::chrono::seconds(60), tcp(kIn, kAck)},
      {"TCP, answered",
       {tcp(kOut, kSyn), tcp(kIn, kSyn | kAck)},
       std::chrono::seconds(7440),
       tcp(kIn, kAck)},
      {"TCP, finished",
       {tcp(kOut, kSyn), tcp(kIn, kSyn | kAck), tcp(kOut, kFin | kAck)},
       std::chrono::seconds(120),
       tcp(kIn, kAck)},
      {"TCP, reset",
       {tcp(kOut, kSyn), tcp(kIn, kRst | kAck)},
       std::chrono::seconds(10),
       tcp(kIn, kAck)},
      {"echo", {icmp(kOut, 8)}, std::chrono::seconds(30), icmp(kIn, 0)},
  };
  for (const auto& test : cases) {
    set(kClosed);
    const auto play = [&] {
      later(std::chrono::hours(3));
      for (const Between& packet : test.packets)
        ASSERT_EQ(pass(packet), kPass) << test.description;
    };
    play();
    later(test.lasts);
    EXPECT_EQ(pass(test.answer), kPass) << test.description << " lives";
    play();
    later(test.lasts + std::chrono::seconds(1));
    EXPECT_EQ(pass(test.answer), kDropFirewallIn) << test.description << " is over";
  }
}

TEST_F(Gates, KeepWhatHasPackets) {
  set(kClosed);
  ASSERT_EQ(pass(udp(kOut)), kPass);
  for (int i = 0; i < 20; ++i) {
    later(std::chrono::seconds(50));
    ASSERT_EQ(pass(udp(i % 2 == 0 ? kIn : kOut)), kPass) << i;
  }
  EXPECT_EQ(flows(), 1u);
}

TEST_F(Gates, JudgeAConnectionThatComesAgainAnew) {
  set(kClosed);
  ASSERT_EQ(pass(tcp(kOut, kSyn)), kPass);
  ASSERT_EQ(pass(tcp(kIn, kRst | kAck)), kPass);
  EXPECT_EQ(pass(tcp(kOut, kSyn)), kPass);
  later(std::chrono::seconds(40));  // longer than what was reset lasts
  EXPECT_EQ(pass(tcp(kIn, kSyn | kAck)), kPass);
}

TEST_F(Gates, KeepAllowedFlowsOverAReloadAndEndTheOthers) {
  const std::string both =
      kClosed + "  inbound: [{action: allow, protocol: tcp, ports: [22, 80]}]\n";
  const std::string ssh = kClosed + "  inbound: [{action: allow, protocol: tcp, ports: 22}]\n";
  const auto connect = [&](std::uint16_t port) {
    ASSERT_EQ(pass(tcp(kIn, kSyn, port, 50000)), kPass);
    ASSERT_EQ(pass(tcp(kOut, kSyn | kAck, port, 50000)), kPass);
  };
  set(both);
  connect(22);
  connect(80);
  ASSERT_EQ(pass(tcp(kOut, kSyn)), kPass) << "one of ours";
  set(ssh);
  EXPECT_EQ(pass(tcp(kIn, kAck, 22, 50000)), kPass);
  EXPECT_EQ(pass(tcp(kOut, kAck, 22, 50000)), kPass);
  EXPECT_EQ(pass(tcp(kIn, kSyn | kAck)), kPass) << "its answer";
  // Our own packets must not make it a connection of ours.
  EXPECT_EQ(pass(tcp(kOut, kAck, 80, 50000)), kDropFirewallOut);
  EXPECT_EQ(pass(tcp(kIn, kAck, 80, 50000)), kDropFirewallIn);
  EXPECT_EQ(pass(tcp(kIn, kSyn, 80, 50000)), kDropFirewallIn);
  // Allowed once more, also what was cut off.
  set(both);
  EXPECT_EQ(pass(tcp(kIn, kAck, 80, 50000)), kPass);
}

TEST_F(Gates, EndFlowsOfAPeerThatLosesItsGroup) {
  set(kClosed + "  inbound: [{action: allow, groups: web, ports: 22}]\n");
  ASSERT_EQ(pass(tcp(kIn, kSyn, 22, 50000)), kPass);
  ASSERT_EQ(pass(tcp(kOut, kSyn | kAck, 22, 50000)), kPass);
  become({.names = {"bob"}, .node_id = "", .groups = {"db"}});
  EXPECT_EQ(pass(tcp(kIn, kAck, 22, 50000)), kDropFirewallIn);
  EXPECT_EQ(pass(tcp(kOut, kAck, 22, 50000)), kDropFirewallOut);
  become({.names = {"bob"}, .node_id = "", .groups = {"web"}});
  EXPECT_EQ(pass(tcp(kIn, kAck, 22, 50000)), kPass);
}

TEST_F(Gates, TrustNoMarksOfOtherRules) {
  set(kClosed + "  inbound: [{action: allow, groups: web}]\n");
  ASSERT_EQ(pass(tcp(kIn, kSyn)), kPass);
  marks_.generation += 2;
  EXPECT_EQ(pass(tcp(kIn, kSyn)), kDropFirewallIn);
}

TEST_F(Gates, BearAScanWithoutLosingAnsweredFlows) {
  set("  default_outbound: deny\n  max_flows: 1024\n");
  // So few that no eight of them have the same eight places.
  constexpr std::uint16_t kAnswered = 64;
  for (std::uint16_t i = 0; i < kAnswered; ++i) {
    ASSERT_EQ(pass(tcp(kIn, kSyn, 22, i)), kPass);
    ASSERT_EQ(pass(tcp(kOut, kSyn | kAck, 22, i)), kPass);
  }
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    Between syn = tcp(kIn, kSyn, static_cast<std::uint16_t>(i), 60'000);
    syn.remote = IpAddress::v4(0x0a010000 + i % 7);
    ASSERT_EQ(pass(syn), kPass) << i;
  }
  EXPECT_LE(flows(), 1024u);
  unsigned alive = 0;
  for (std::uint16_t i = 0; i < kAnswered; ++i)
    alive += pass(tcp(kOut, kAck, 22, i)) == kPass ? 1 : 0;
  EXPECT_EQ(alive, kAnswered);
}

TEST_F(Gates, RefuseNewFlowsWhereAllAreAnswered) {
  set("  default_outbound: deny\n  max_flows: 1024\n");
  unsigned refused = 0;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const auto port = static_cast<std::uint16_t>(i);
    const Fate fate = pass(tcp(kIn, kSyn, 22, port));
    if (fate == kDropFirewallFull) {
      ++refused;
      continue;
    }
    ASSERT_EQ(fate, kPass);
    ASSERT_EQ(pass(tcp(kOut, kSyn | kAck, 22, port)), kPass);
  }
  EXPECT_GE(refused, 4000u - 1024u);
  EXPECT_LE(flows(), 1024u);
  EXPECT_EQ(pass(tcp(kOut, kAck, 22, 0)), kPass) << "the first of all";
}

}  // namespace
}  // namespace ipop::engine::firewall
