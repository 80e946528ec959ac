// What is like a packet that passed a moment ago. What continues a single flow stands in
// gate_test.cpp.
#include "engine/firewall/recent_flows.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/engine/firewall/gates.hpp"

namespace ipop::engine::firewall {
namespace {

constexpr std::uint32_t kStamp = 5;

Bytes packet_of(std::uint16_t flow, bool v4 = true, std::uint8_t flags = tcp_flag::kAck) {
  Between packet = tcp(kOut, flags, 443, flow);
  return made(v4 ? packet : six(packet));
}

class RecentFlowsTest : public testing::Test {
 protected:
  void pass(const Bytes& packet, std::uint16_t rule) {
    PacketFacts facts;
    ASSERT_TRUE(read_facts(packet, kOut, facts));
    recent.remember(packet, facts, kStamp, rule);
  }
  // The rule, or -1.
  int rule_of(const Bytes& packet) {
    const auto* const flow =
        recent.find(packet.data(), static_cast<std::uint32_t>(packet.size()), kStamp);
    return flow == nullptr ? -1 : flow->rule;
  }

  RecentFlows recent;
};

TEST_F(RecentFlowsTest, AreKnownAllAtOnce) {
  for (const bool v4 : {true, false}) {
    constexpr std::uint16_t kFlows = 500;
    for (std::uint16_t i = 0; i < kFlows; ++i)
      pass(packet_of(i, v4), i);
    int known = 0;
    for (std::uint16_t i = 0; i < kFlows; ++i) {
      const int rule = rule_of(packet_of(i, v4));
      EXPECT_TRUE(rule == i || rule == -1) << rule << " for " << i;
      known += rule == i;
    }
    // Three that meet in one place are rare.
    EXPECT_GT(known, 480);
    EXPECT_EQ(rule_of(packet_of(kFlows, v4)), -1);
  }
}

TEST_F(RecentFlowsTest, KeepTheNewestOfMoreThanFit) {
  constexpr std::uint16_t kFlows = 3 * RecentFlows::kMost;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    pass(packet_of(i), i);
    ASSERT_EQ(rule_of(packet_of(i)), i);
  }
  std::size_t known = 0;
  for (std::uint16_t i = 0; i < kFlows; ++i)
    known += rule_of(packet_of(i)) == i;
  EXPECT_LE(known, RecentFlows::kMost);
  EXPECT_GT(known, RecentFlows::kMost / 2);
}

TEST_F(RecentFlowsTest, AreForgottenOneByOne) {
  for (const bool v4 : {true, false}) {
    for (std::uint16_t i = 0; i < 100; ++i)
      pass(packet_of(i, v4), i);
    // Whatever is about to be judged: perhaps the flow ends.
    recent.forget(packet_of(7, v4, tcp_flag::kRst));
    EXPECT_EQ(rule_of(packet_of(7, v4)), -1);
    int known = 0;
    for (std::uint16_t i = 0; i < 100; ++i)
      known += rule_of(packet_of(i, v4)) == i;
    EXPECT_GE(known, 97);
  }
}

TEST_F(RecentFlowsTest, AreForgottenAtOnce) {
  pass(packet_of(1), 1);
  pass(packet_of(2), 2);
  recent.forget_all();
  EXPECT_EQ(rule_of(packet_of(1)), -1);
  EXPECT_EQ(rule_of(packet_of(2)), -1);
  pass(packet_of(1), 3);
  EXPECT_EQ(rule_of(packet_of(1)), 3);
}

TEST_F(RecentFlowsTest, BearPacketsOfAnyLength) {
  const Bytes whole = packet_of(1, false);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    // To its last byte, so that a sanitizer sees whoever reads on.
    Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    part.shrink_to_fit();
    recent.prefetch(part.data(), static_cast<std::uint32_t>(length));
    EXPECT_EQ(rule_of(part), -1);
    recent.forget(part);
  }
}

class RecentFlowsOfGates : public Gates {};

TEST_F(RecentFlowsOfGates, AreCountedForTheirRules) {
  set("  default_outbound: deny\n  outbound: [{action: allow, ports: 22}, {action: allow, ports: "
      "53}]\n");
  out_.begin_burst(now_);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(judge(out_, made(tcp(kOut, kAck, 22))), kPass);
    EXPECT_EQ(judge(out_, made(udp(kOut))), kPass);
  }
  out_.end_burst();
  EXPECT_EQ(flows(), 2u);
  EXPECT_EQ(counts()[0].packets, 10u);
  EXPECT_EQ(counts()[1].packets, 10u);
}

}  // namespace
}  // namespace ipop::engine::firewall
