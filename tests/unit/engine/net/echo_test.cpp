#include "engine/net/echo.hpp"

#include <gtest/gtest.h>

#include <random>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::echo_request;
using testing::framed;
using testing::hex;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::slow_checksum;
using testing::slow_message_checksum;
using testing::summed;
using testing::with;

const Bytes kPing = hex("70696e67");

Bytes ping4(const Bytes& data = kPing) {
  return summed(Ipv4{.protocol = 1, .payload = echo_request(8, data)}.bytes());
}

Bytes ping6(const Bytes& data = kPing) {
  return summed(Ipv6{.next = 58, .payload = echo_request(128, data)}.bytes());
}

Bytes frame_of(const Bytes& packet, const Bytes& tag = {}) {
  return framed(kOurMac, kTheirMac, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet, tag);
}

TEST(Echo, AnswersAPingOverIpv4) {
  Bytes frame = hex(R"(020000000001 020000000002 0800
    4500 0020 0007 4000 3f 01 b7d2 c0000202 c0000201
    08 00 06fa 1234 0001 70696e67)");
  ASSERT_EQ(frame, frame_of(ping4()));
  EXPECT_TRUE(turn_into_echo_reply(frame, 14));
  EXPECT_EQ(frame, hex(R"(020000000002 020000000001 0800
    4500 0020 0007 4000 40 01 b6d2 c0000201 c0000202
    00 00 0efa 1234 0001 70696e67)"));
}

TEST(Echo, AnswersAPingOverIpv6) {
  Bytes frame = hex(R"(020000000001 020000000002 86dd
    6a012345 000c 3a 40
    20010db8000000000000000000000002 20010db8000000000000000000000001
    80 00 333e 1234 0001 70696e67)");
  ASSERT_EQ(frame, frame_of(ping6()));
  frame[21] = 1;  // the hop limit, which is the reply's own
  EXPECT_TRUE(turn_into_echo_reply(frame, 14));
  EXPECT_EQ(frame, hex(R"(020000000002 020000000001 86dd
    6a012345 000c 3a 40
    20010db8000000000000000000000001 20010db8000000000000000000000002
    81 00 323e 1234 0001 70696e67)"));
}

TEST(Echo, LeavesTagAndPaddingAsTheyAre) {
  for (const Bytes& packet : {ping4(), ping6()}) {
    const Bytes tag = hex("8100 e064");
    Bytes frame = join({frame_of(packet, tag), Bytes(9, 0xee)});
    EXPECT_TRUE(turn_into_echo_reply(frame, 18));
    EXPECT_EQ(join({ByteView(frame).first(12)}), join({kTheirMac.bytes, kOurMac.bytes}));
    EXPECT_EQ(join({ByteView(frame).subspan(12, 4)}), tag);
    EXPECT_EQ(join({ByteView(frame).last(9)}), Bytes(9, 0xee));
    EXPECT_EQ(frame.size(), 18 + packet.size() + 9);
  }
}

TEST(Echo, GivesBackAllDataWithRightChecksums) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 9000; size += size < 300 ? 1 : 311) {
    Bytes data(size);
    // The last of the small ones are all ones: the most carries there can be.
    for (auto& byte : data)
      byte = size > 250 && size < 300 ? 0xff : static_cast<std::uint8_t>(random());
    for (const Bytes& packet : {ping4(data), ping6(data)}) {
      Bytes frame = frame_of(packet);
      ASSERT_TRUE(turn_into_echo_reply(frame, 14)) << size;
      const ByteView reply = ByteView(frame).subspan(14);
      const bool v4 = reply[0] >> 4 == 4;
      ASSERT_TRUE(!v4 || slow_checksum(reply.first(20)) == 0) << size;
      ASSERT_EQ(slow_message_checksum(reply), 0) << size;
      ASSERT_EQ(join({reply.last(size)}), data);
    }
  }
}

TEST(Echo, ChangesEveryChecksumRightWhereItsSumCarries) {
  for (const unsigned edge : {0u, 0x0100u, 0x0800u, 0x7f00u, 0x8000u, 0xf700u, 0xf800u, 0xff00u}) {
    for (unsigned wanted = edge + 0xffff - 3; wanted <= edge + 0xffff + 3; ++wanted) {
      for (const auto& ping : {ping4, ping6}) {
        const Bytes zeroes = ping(Bytes(2));
        const std::size_t at = zeroes.size() - 8;
        const unsigned data = (load_be<std::uint16_t>(&zeroes[at]) + 2 * 0xffff - wanted) % 0xffff;
        const Bytes packet =
            ping({static_cast<std::uint8_t>(data >> 8), static_cast<std::uint8_t>(data)});
        ASSERT_EQ(load_be<std::uint16_t>(&packet[at]) % 0xffff, wanted % 0xffff);
        Bytes frame = frame_of(packet);
        ASSERT_TRUE(turn_into_echo_reply(frame, 14)) << wanted;
        ASSERT_EQ(slow_message_checksum(ByteView(frame).subspan(14)), 0) << wanted;
      }
    }
  }
}

TEST(Echo, IsNotAnsweredAgain) {
  for (const Bytes& packet : {ping4(), ping6()}) {
    Bytes frame = frame_of(packet);
    EXPECT_TRUE(turn_into_echo_reply(frame, 14));
    const Bytes reply = frame;
    EXPECT_FALSE(turn_into_echo_reply(frame, 14));
    EXPECT_EQ(frame, reply);
  }
}

TEST(Echo, LeavesAllElseUnchanged) {
  const Bytes four = echo_request(8, kPing);
  const Bytes six = echo_request(128, kPing);
  const auto v4 = [](Ipv4 packet, Bytes payload) {
    packet.protocol = 1;
    packet.payload = std::move(payload);
    return summed(packet.bytes());
  };
  const auto v6 = [](Ipv6 packet, Bytes payload) {
    packet.next = 58;
    packet.payload = std::move(payload);
    return summed(packet.bytes());
  };
  struct Case {
    const char* description;
    Bytes packet;
  };
  const Case cases[] = {
      {"reply", v4({}, with(four, 0, 0))},
      {"time stamp request", v4({}, with(four, 0, 13))},
      {"code", v4({}, with(four, 1, 1))},
      {"wrong checksum", with(ping4(), 22, 0)},
      {"wrong header checksum", with(ping4(), 11, 0)},
      {"damaged data", with(ping4(), 31, 0)},
      {"from nobody", v4({.source = "0.0.0.0"}, four)},
      {"from a group", v4({.source = "224.0.0.1"}, four)},
      {"from all", v4({.source = "255.255.255.255"}, four)},
      {"options", v4({.options = Bytes(4, 1)}, four)},
      {"shorter than an echo", v4({}, Bytes{8, 0, 0, 0, 0, 0, 0})},
      {"longer than the frame",
       [] {
         Bytes packet = ping4();
         packet.resize(packet.size() - 1);
         return packet;
       }()},
      {"UDP", Ipv4{.protocol = 17, .payload = four}.bytes()},
      {"ICMPv6 over IPv4", Ipv4{.protocol = 58, .payload = six}.bytes()},
      {"version 5", with(ping4(), 0, 0x55)},
      {"reply, IPv6", v6({}, with(six, 0, 129))},
      {"IPv4's type, IPv6", v6({}, with(six, 0, 8))},
      {"code, IPv6", v6({}, with(six, 1, 1))},
      {"wrong checksum, IPv6", with(ping6(), 42, 0)},
      {"damaged data, IPv6", with(ping6(), 51, 0)},
      {"from nobody, IPv6", v6({.source = "::"}, six)},
      {"from a group, IPv6", v6({.source = "ff02::1"}, six)},
      {"from an IPv4-mapped address", v6({.source = "::ffff:192.0.2.2"}, six)},
      {"between IPv4-mapped addresses",
       v6({.source = "::ffff:192.0.2.2", .destination = "::ffff:192.0.2.1"}, six)},
      {"shorter than an echo but padded, IPv6",
       join({v6({}, Bytes{128, 0, 0, 0, 0, 0, 0}), Bytes(9)})},
      {"shorter than an echo, IPv6", v6({}, Bytes{128, 0, 0, 0, 0, 0, 0})},
      {"longer than the frame, IPv6", with(ping6(), 5, 13)},
      {"behind options, IPv6", with(ping6(), 6, 0)},
      {"ICMP over IPv6", with(ping6(), 6, 1)},
  };
  for (const Case& c : cases) {
    Bytes frame = frame_of(c.packet);
    const Bytes before = frame;
    EXPECT_FALSE(turn_into_echo_reply(frame, 14)) << c.description;
    EXPECT_EQ(frame, before) << c.description;
  }
}

TEST(Echo, LeavesAPingCutOffAnywhereUnchanged) {
  for (const Bytes& whole : {frame_of(ping4()), frame_of(ping6())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes before(whole.begin(), whole.begin() + size);
      Bytes frame = before;
      frame.shrink_to_fit();
      EXPECT_FALSE(turn_into_echo_reply(frame, 14)) << size;
      EXPECT_EQ(frame, before) << size;
    }
  }
}

TEST(Echo, LeavesAPingWithADamagedBitUnchanged) {
  for (const Bytes& good : {frame_of(ping4()), frame_of(ping6())}) {
    const bool v4 = good[12] == 0x08;
    for (std::size_t bit = 14 * 8; bit < good.size() * 8; ++bit) {
      // Nothing covers IPv6's traffic class, flow label and hop limit.
      const std::size_t at = bit / 8;
      if (!v4 && ((at == 14 && bit % 8 < 4) || (at > 14 && at < 18) || at == 21)) continue;
      Bytes frame = good;
      frame[at] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      const Bytes before = frame;
      EXPECT_FALSE(turn_into_echo_reply(frame, 14)) << "bit " << bit;
      EXPECT_EQ(frame, before) << "bit " << bit;
    }
  }
}

TEST(Echo, KnowsThatNoPacketStartsInsideOrBehindTheFramesHeader) {
  for (const std::size_t ip : {0u, 6u, 13u}) {
    Bytes frame = join({Bytes(ip), ping4()});
    EXPECT_FALSE(turn_into_echo_reply(frame, ip)) << ip;
  }
  Bytes frame = frame_of(ping4());
  EXPECT_FALSE(turn_into_echo_reply(frame, frame.size()));
  EXPECT_FALSE(turn_into_echo_reply(frame, frame.size() + 1));
  EXPECT_EQ(frame, frame_of(ping4()));
}

TEST(Echo, AnswersNoPingFromAGroupOfStations) {
  const Bytes ping =
      summed(Ipv4{.protocol = 1, .payload = echo_request(8, hex("70696e67"))}.bytes());
  for (const MacAddress from : {MacAddress::broadcast(), MacAddress{}}) {
    Bytes frame = framed(kOurMac, from, 0x0800, ping);
    EXPECT_FALSE(turn_into_echo_reply(frame, 14));
  }
}

TEST(Echo, SumsAReplyOfNothingButZeroes) {
  const Bytes packet =
      summed(Ipv4{.protocol = 1, .payload = Bytes{8, 0, 0, 0, 0, 0, 0, 0}}.bytes());
  Bytes frame = framed(kOurMac, kTheirMac, 0x0800, packet);
  EXPECT_TRUE(turn_into_echo_reply(frame, 14));
  EXPECT_EQ(slow_message_checksum(ByteView(frame).subspan(14)), 0);
}

TEST(Echo, AnswersNoFragmentOfAPing) {
  const Bytes packet = summed(
      Ipv4{.protocol = 1, .fragment = 0x2000, .payload = echo_request(8, hex("70696e67"))}.bytes());
  Bytes frame = framed(kOurMac, kTheirMac, 0x0800, packet);
  EXPECT_FALSE(turn_into_echo_reply(frame, 14));
}

}  // namespace
}  // namespace ipop::engine
