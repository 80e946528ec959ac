// What passes a node's two gates: rules and answers, fragments, counters.
#include "tests/unit/engine/firewall/gates.hpp"

namespace ipop::engine::firewall {
namespace {

TEST_F(Gates, AreOffWithoutRules) {
  in_.begin_burst(now_);
  EXPECT_FALSE(in_.is_on());
  set(kClosed);
  in_.begin_burst(now_);
  EXPECT_TRUE(in_.is_on());
  in_.end_burst();
  EXPECT_NE(firewall_.publish(nullptr), nullptr);
  in_.begin_burst(now_);
  EXPECT_FALSE(in_.is_on());
  in_.end_burst();
  EXPECT_FALSE(firewall_.counts(0).on);
}

TEST_F(Gates, LetAnswersIn) {
  for (const bool v4 : {true, false}) {
    set(kClosed);
    const auto of = [&](const Between& packet) { return v4 ? packet : six(packet); };
    EXPECT_EQ(pass(of(tcp(kIn, kAck))), kDropFirewallIn);
    EXPECT_EQ(pass(of(tcp(kOut, kSyn))), kPass);
    EXPECT_EQ(pass(of(tcp(kIn, kSyn | kAck))), kPass);
    EXPECT_EQ(pass(of(tcp(kOut, kAck))), kPass);
    EXPECT_EQ(pass(of(tcp(kIn, kAck))), kPass);
    EXPECT_EQ(pass(of(tcp(kIn, kAck, 50001))), kDropFirewallIn) << "another port of ours";
    EXPECT_EQ(pass(of(tcp(kIn, kAck, 50000, 23))), kDropFirewallIn) << "another port of theirs";
    EXPECT_EQ(pass(of(udp(kIn, 50000, 22))), kDropFirewallIn) << "another protocol";
    EXPECT_EQ(pass(of(udp(kIn))), kDropFirewallIn);
    EXPECT_EQ(pass(of(udp(kOut))), kPass);
    EXPECT_EQ(pass(of(udp(kIn))), kPass);
    Between gre{.direction = kIn, .protocol = 47};
    EXPECT_EQ(pass(of(gre)), kDropFirewallIn);
    gre.direction = kOut;
    EXPECT_EQ(pass(of(gre)), kPass);
    gre.direction = kIn;
    EXPECT_EQ(pass(of(gre)), kPass);
  }
}

TEST_F(Gates, LetAnswersOut) {
  set("  default_outbound: deny\n");
  EXPECT_EQ(pass(tcp(kOut, kSyn)), kDropFirewallOut);
  EXPECT_EQ(pass(tcp(kIn, kSyn, 22, 50000)), kPass);
  EXPECT_EQ(pass(tcp(kOut, kSyn | kAck, 22, 50000)), kPass);
  EXPECT_EQ(pass(tcp(kOut, kSyn, 22, 50000)), kDropFirewallOut) << "a connection of its own";
}

TEST_F(Gates, LetEchoRepliesInAndNoRequests) {
  set(kClosed);
  EXPECT_EQ(pass(icmp(kIn, 0)), kDropFirewallIn) << "nobody asked";
  EXPECT_EQ(pass(icmp(kOut, 8)), kPass);
  EXPECT_EQ(pass(icmp(kIn, 0)), kPass);
  EXPECT_EQ(pass(icmp(kIn, 0, 8)), kDropFirewallIn) << "another number";
  EXPECT_EQ(pass(icmp(kIn, 8)), kDropFirewallIn) << "a request with our number is no answer";
  EXPECT_EQ(pass(six(icmp(kOut, 128))), kPass);
  EXPECT_EQ(pass(six(icmp(kIn, 129))), kPass);
  EXPECT_EQ(pass(six(icmp(kIn, 128))), kDropFirewallIn);
}

TEST_F(Gates, LetErrorsAboutKnownFlowsIn) {
  set(kClosed);
  const auto error = [](const Between& about, std::uint8_t type, std::size_t quoted) {
    Bytes quote = made(about);
    quote.resize(std::min(quote.size(), quoted));
    Between packet = icmp(opposite(about.direction), type);
    packet.remote = ip("10.0.0.77");  // a router there
    packet.icmp_rest = quote;
    packet.payload = 0;
    return packet;
  };
  EXPECT_EQ(pass(error(udp(kOut), 3, 28)), kDropFirewallIn) << "of a flow that nobody knows";
  ASSERT_EQ(pass(udp(kOut)), kPass);
  EXPECT_EQ(pass(error(udp(kOut), 3, 28)), kPass);
  EXPECT_EQ(pass(error(udp(kOut), 11, 28)), kPass);
  EXPECT_EQ(pass(error(udp(kOut), 5, 28)), kDropFirewallIn) << "a redirect is no error";
  EXPECT_EQ(pass(error(udp(kOut), 3, 20)), kDropFirewallIn) << "without the ports";
  EXPECT_EQ(pass(error(udp(kOut, 50001), 3, 28)), kDropFirewallIn) << "of another flow";
  // Quoted the wrong way round: what it says it saw never left.
  Between turned = udp(kIn, 50000, 53);
  Between wrong = icmp(kIn, 3);
  wrong.icmp_rest = made(turned);
  EXPECT_EQ(pass(wrong), kDropFirewallIn);
  // Of a super-packet, TCP's first eight bytes are quoted.
  ASSERT_EQ(pass(tcp(kOut, kSyn)), kPass);
  EXPECT_EQ(pass(error(tcp(kOut, kSyn), 3, 28)), kPass);
  ASSERT_EQ(pass(icmp(kOut, 8)), kPass);
  EXPECT_EQ(pass(error(icmp(kOut, 8), 11, 28)), kPass);
  ASSERT_EQ(pass(six(udp(kOut))), kPass);
  Between error6 = six(icmp(kIn, 2));
  error6.icmp_rest = made(six(udp(kOut)));
  EXPECT_EQ(pass(error6), kPass);
}

TEST_F(Gates, TakeNoConnectionOfTheOtherEndForAnAnswer) {
  set(kClosed);
  ASSERT_EQ(pass(tcp(kOut, kSyn)), kPass);
  ASSERT_EQ(pass(tcp(kIn, kSyn | kAck)), kPass);
  EXPECT_EQ(pass(tcp(kIn, kSyn)), kDropFirewallIn);
  EXPECT_EQ(pass(tcp(kIn, kAck)), kPass) << "what there was goes on";
}

TEST_F(Gates, JudgeFragmentsByTheFirst) {
  set(kClosed + "  inbound: [{action: allow, protocol: udp, ports: 53}]\n");
  const auto piece = [&](std::uint16_t offset, bool more, std::uint16_t id, std::uint16_t port,
                         bool v4) {
    Between packet = udp(kIn, port, 50000);
    packet.payload = 200;
    if (v4) {
      packet.fragment_offset = offset;
      packet.more_fragments = more;
      packet.fragment_id = id;
    } else {
      packet = six(packet);
      packet.extensions = {fragment6(offset, more, id)};
    }
    return packet;
  };
  for (const bool v4 : {true, false}) {
    EXPECT_EQ(pass(piece(10, true, 1, 53, v4)), kDropFirewallFragment) << "before the first";
    EXPECT_EQ(pass(piece(0, true, 1, 53, v4)), kPass);
    EXPECT_EQ(pass(piece(10, true, 1, 53, v4)), kPass);
    EXPECT_EQ(pass(piece(20, false, 1, 53, v4)), kPass);
    EXPECT_EQ(pass(piece(10, false, 2, 53, v4)), kDropFirewallFragment) << "another packet's";
    EXPECT_EQ(pass(piece(0, true, 3, 54, v4)), kDropFirewallIn);
    EXPECT_EQ(pass(piece(10, false, 3, 54, v4)), kDropFirewallFragment) << "of a denied one";
    Between out = piece(10, false, 1, 53, v4);
    out.direction = kOut;
    EXPECT_EQ(pass(out), kDropFirewallFragment) << "numbers are each end's own";
    later(std::chrono::seconds(31));
    EXPECT_EQ(pass(piece(20, false, 1, 53, v4)), kDropFirewallFragment) << "too late";
  }
}

TEST_F(Gates, DropWhatHasNoTransportHeader) {
  set("  inbound: [{action: deny, protocol: tcp, ports: 22}]\n");
  EXPECT_EQ(pass({.payload = 0, .cut = 4}), kDropFirewallMalformed);
  EXPECT_EQ(pass({.direction = kOut, .fragment_offset = 1, .payload = 40}), kDropFirewallMalformed);
}

TEST_F(Gates, CountByRule) {
  set(kClosed + "  inbound: [{action: deny, ports: 23}, {action: allow, ports: 22}]\n");
  const Between ssh = tcp(kIn, kSyn, 22, 50000);
  const std::uint64_t size = made(ssh).size();
  ASSERT_EQ(pass(ssh), kPass);
  ASSERT_EQ(pass(tcp(kOut, kSyn | kAck, 22, 50000)), kPass);
  ASSERT_EQ(pass(tcp(kIn, kSyn, 23)), kDropFirewallIn);
  ASSERT_EQ(pass(tcp(kIn, kSyn, 24)), kDropFirewallIn);
  ASSERT_EQ(pass(tcp(kIn, kSyn, 25)), kDropFirewallIn);
  ASSERT_EQ(pass(udp(kOut)), kPass);
  // A super-packet of 44 segments, and a burst of two packets of one flow.
  out_.begin_burst(now_);
  ASSERT_EQ(judge(out_, made(tcp(kOut, kAck, 22, 50000)), 44), kPass);
  ASSERT_EQ(judge(out_, made(tcp(kOut, kAck, 22, 50000)), 1), kPass);
  out_.end_burst();
  const std::uint64_t packets[] = {1, 47, 2, 1};
  const std::uint64_t bytes[] = {size, 4 * size, 2 * size, made(udp(kOut)).size()};
  const auto counted = counts();
  ASSERT_EQ(counted.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(counted[i].packets, packets[i]) << i;
    EXPECT_EQ(counted[i].bytes, bytes[i]) << i;
  }
}

TEST_F(Gates, CountWhatTheirCallerCounts) {
  set(kClosed + "  inbound: [{action: allow, ports: 22}, {action: allow, ports: 23}]\n");
  OwnedCounter packets;
  OwnedCounter bytes;
  packets.set(1000);
  in_.begin_burst(now_);
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{22, 23, 22}) {
    ASSERT_EQ(in_.judge(made(tcp(kIn, kAck, port)), marks_, 1), kPass);
    in_.count_by(packets, bytes);
    packets.add(10);  // one, and nine that continue it
    bytes.add(500);
  }
  in_.end_burst();
  packets.add(5);
  EXPECT_EQ(counts()[0].packets, 20u);
  EXPECT_EQ(counts()[0].bytes, 1000u);
  EXPECT_EQ(counts()[1].packets, 10u);
}

TEST_F(Gates, KnowWhatContinuesAFlow) {
  set(kClosed);
  Between other = udp(kOut, 50001);
  const struct {
    const char* description;
    Between first;
    Between next;
    bool continues;
  } cases[] = {
      {"TCP", tcp(kOut, kAck), tcp(kOut, kAck), true},
      {"UDP", udp(kOut), udp(kOut), true},
      {"TCP in IPv6", six(tcp(kOut, kAck)), six(tcp(kOut, kAck)), true},
      {"UDP in IPv6", six(udp(kOut)), six(udp(kOut)), true},
      {"another port", udp(kOut), udp(kOut, 50001), false},
      {"another port in IPv6", six(udp(kOut)), six(udp(kOut, 50001)), false},
      {"another protocol", udp(kOut), tcp(kOut, kAck, 50000, 53), false},
      {"another version", udp(kOut), six(udp(kOut)), false},
      {"SYN", tcp(kOut, kAck), tcp(kOut, kSyn), false},
      {"FIN", tcp(kOut, kAck), tcp(kOut, kAck | kFin), false},
      {"behind a SYN", tcp(kOut, kSyn), tcp(kOut, kAck), false},
      {"ICMP", icmp(kOut, 8), icmp(kOut, 8), false},
      {"a fragment", udp(kOut),
       [] {
         Between packet = udp(kOut);
         packet.more_fragments = true;
         return packet;
       }(),
       false},
      {"options", udp(kOut),
       [] {
         Between packet = udp(kOut);
         packet.ip_options = 4;
         return packet;
       }(),
       false},
      {"another host", udp(kOut),
       [] {
         Between packet = udp(kOut);
         packet.remote = ip("10.0.0.3");
         return packet;
       }(),
       false},
      {"another host in IPv6", six(udp(kOut)),
       [] {
         Between packet = six(udp(kOut));
         packet.local = ip("fd00::3");
         return packet;
       }(),
       false},
      {"IPv6 with options", six(udp(kOut)),
       [] {
         Between packet = six(udp(kOut));
         packet.extensions = {{60, Bytes(8)}};
         return packet;
       }(),
       false},
      {"one that is cut off", udp(kOut),
       [] {
         Between packet = udp(kOut);
         packet.payload = 0;
         packet.cut = 1;
         return packet;
       }(),
       false},
  };
  for (const auto& test : cases) {
    out_.begin_burst(now_);
    ASSERT_EQ(out_.judge(made(test.first), marks_, 1), kPass) << test.description;
    const Bytes next = made(test.next);
    const auto length = static_cast<std::uint32_t>(next.size());
    EXPECT_EQ(out_.continues(next.data(), length, marks_.stamp), test.continues)
        << test.description;
    EXPECT_FALSE(out_.continues(next.data(), length, marks_.stamp + 1)) << test.description;
    out_.end_burst();
    out_.begin_burst(now_ + std::chrono::seconds(1));
    EXPECT_FALSE(out_.continues(next.data(), length, marks_.stamp)) << test.description;
    out_.end_burst();
  }
}

}  // namespace
}  // namespace ipop::engine::firewall
