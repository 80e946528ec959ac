#include "engine/net/udp_packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::pseudo_header_sum;
using testing::slow_checksum;
using testing::summed;
using testing::udp;
using testing::with;

const Bytes kHello = hex("68656c6c6f");

struct Judged {
  const char* description;
  Bytes packet;
  UdpVerdict expected;
};

void expect_verdicts(std::initializer_list<Judged> cases) {
  for (const Judged& c : cases)
    EXPECT_EQ(parse_udp_packet(c.packet, false).verdict, c.expected) << c.description;
}

// With an IPv4 header checksum that fits what was changed.
Bytes rehashed(Bytes packet) {
  const std::size_t header = std::min<std::size_t>((packet[0] & 0x0fu) * 4, packet.size());
  packet[10] = packet[11] = 0;
  store_be(&packet[10], slow_checksum(ByteView(packet).first(header)));
  return packet;
}

TEST(UdpPacket, ReadsADatagramOverIpv4) {
  const Bytes packet = hex(R"(
    4500 0021 0000 4000 40 11 4e90 c0000201 c6336407
    11c1 11c2 000d ac42 68656c6c6f)");
  const UdpPacket parsed = parse_udp_packet(packet, false);
  EXPECT_EQ(parsed.verdict, UdpVerdict::kDatagram);
  EXPECT_EQ(parsed.start, 28);
  EXPECT_EQ(parsed.length, 5);
  EXPECT_TRUE(parsed.has_checksum);
  EXPECT_EQ(parsed.source, (Endpoint{ip("192.0.2.1"), 4545}));
  EXPECT_EQ(parsed.destination, (Endpoint{ip("198.51.100.7"), 4546}));
  EXPECT_TRUE(udp_checksum_is_right(packet, parsed));
}

TEST(UdpPacket, ReadsADatagramOverIpv6) {
  const Bytes packet = hex(R"(
    6a012345 000d 11 40
    20010db8000000000000000000000001 20010db8000100000000000000000007
    11c1 11c2 000d 3d04 68656c6c6f)");
  const UdpPacket parsed = parse_udp_packet(packet, false);
  EXPECT_EQ(parsed.verdict, UdpVerdict::kDatagram);
  EXPECT_EQ(parsed.start, 48);
  EXPECT_EQ(parsed.length, 5);
  EXPECT_TRUE(parsed.has_checksum);
  EXPECT_EQ(parsed.source, (Endpoint{ip("2001:db8::1"), 4545}));
  EXPECT_EQ(parsed.destination, (Endpoint{ip("2001:db8:1::7"), 4546}));
  EXPECT_TRUE(udp_checksum_is_right(packet, parsed));
}

TEST(UdpPacket, JudgesEveryKindOfIpv4) {
  const Bytes datagram = udp(1, 2, kHello);
  const Bytes good = Ipv4{.payload = datagram}.bytes();
  const auto again = [&](std::size_t at, std::uint8_t value) {
    return rehashed(with(good, at, value));
  };
  expect_verdicts({
      {"as it should be", good, UdpVerdict::kDatagram},
      {"padded to the Ethernet minimum", join({good, Bytes(13, 0xee)}), UdpVerdict::kDatagram},
      {"with options", Ipv4{.options = Bytes(40, 1), .payload = datagram}.bytes(),
       UdpVerdict::kDatagram},
      {"may be fragmented, but is not", Ipv4{.fragment = 0, .payload = datagram}.bytes(),
       UdpVerdict::kDatagram},
      {"the reserved bit", Ipv4{.fragment = 0x8000, .payload = datagram}.bytes(),
       UdpVerdict::kDatagram},
      {"empty", Ipv4{.payload = udp(1, 2, {})}.bytes(), UdpVerdict::kDatagram},
      {"first fragment", Ipv4{.fragment = 0x2000, .payload = datagram}.bytes(),
       UdpVerdict::kFragment},
      {"second fragment", Ipv4{.fragment = 0x2001, .payload = datagram}.bytes(),
       UdpVerdict::kFragment},
      {"last fragment", Ipv4{.fragment = 0x1fff, .payload = datagram}.bytes(),
       UdpVerdict::kFragment},
      {"fragment of another protocol",
       Ipv4{.protocol = 6, .fragment = 0x2000, .payload = datagram}.bytes(), UdpVerdict::kFragment},
      {"TCP", Ipv4{.protocol = 6, .payload = datagram}.bytes(), UdpVerdict::kNotUdp},
      {"ICMP and no byte of it", Ipv4{.protocol = 1}.bytes(), UdpVerdict::kNotUdp},
      {"no UDP header", Ipv4{}.bytes(), UdpVerdict::kMalformed},
      {"UDP header cut off", Ipv4{.payload = Bytes(7)}.bytes(), UdpVerdict::kMalformed},
      {"wrong header checksum", with(good, 10, static_cast<std::uint8_t>(good[10] ^ 1)),
       UdpVerdict::kMalformed},
      {"changed time to live", with(good, 8, 1), UdpVerdict::kMalformed},
      {"header shorter than any", again(0, 0x44), UdpVerdict::kMalformed},
      {"datagram in a header shorter than any",
       rehashed(hex("4400 001a 0000 4000 40 11 0000 c0000202 0001 0002 000a 0000 aabb")),
       UdpVerdict::kMalformed},
      {"header longer than the packet", again(0, 0x4f), UdpVerdict::kMalformed},
      {"longer than the frame", again(3, static_cast<std::uint8_t>(good.size() + 1)),
       UdpVerdict::kMalformed},
      {"shorter than its header", again(3, 19), UdpVerdict::kMalformed},
      {"shorter than its datagram", again(3, 32), UdpVerdict::kMalformed},
      {"datagram longer than the packet", with(good, 25, 14), UdpVerdict::kMalformed},
      {"datagram shorter than the packet", with(good, 25, 12), UdpVerdict::kDatagram},
      {"datagram shorter than its header", with(good, 25, 7), UdpVerdict::kMalformed},
      {"datagram of no length", with(good, 25, 0), UdpVerdict::kMalformed},
      {"version 5", again(0, 0x55), UdpVerdict::kMalformed},
      {"version 6", again(0, 0x65), UdpVerdict::kMalformed},
      {"nothing", {}, UdpVerdict::kMalformed},
  });
}

TEST(UdpPacket, JudgesEveryKindOfIpv6) {
  const Bytes datagram = udp(1, 2, kHello);
  const Bytes good = summed(Ipv6{.payload = datagram}.bytes());
  const auto behind = [&](std::uint8_t next) {
    return Ipv6{.next = next, .payload = join({hex("1100 010400000000"), datagram})}.bytes();
  };
  expect_verdicts({
      {"as it should be", good, UdpVerdict::kDatagram},
      {"padded", join({good, Bytes(13, 0xee)}), UdpVerdict::kDatagram},
      {"empty", summed(Ipv6{.payload = udp(1, 2, {})}.bytes()), UdpVerdict::kDatagram},
      {"without a checksum", Ipv6{.payload = datagram}.bytes(), UdpVerdict::kMalformed},
      {"fragment", behind(44), UdpVerdict::kFragment},
      {"hop-by-hop options", behind(0), UdpVerdict::kNotUdp},
      {"destination options", behind(60), UdpVerdict::kNotUdp},
      {"TCP", Ipv6{.next = 6, .payload = datagram}.bytes(), UdpVerdict::kNotUdp},
      {"nothing behind", Ipv6{.next = 59}.bytes(), UdpVerdict::kNotUdp},
      {"from an IPv4-mapped address",
       summed(Ipv6{.source = "::ffff:192.0.2.2", .payload = datagram}.bytes()),
       UdpVerdict::kMalformed},
      {"to an IPv4-mapped address",
       summed(Ipv6{.destination = "::ffff:192.0.2.1", .payload = datagram}.bytes()),
       UdpVerdict::kMalformed},
      {"no UDP header", Ipv6{}.bytes(), UdpVerdict::kMalformed},
      {"UDP header cut off", Ipv6{.payload = Bytes(7, 1)}.bytes(), UdpVerdict::kMalformed},
      {"longer than the frame", with(good, 5, 14), UdpVerdict::kMalformed},
      {"jumbogram (RFC 2675)", with(good, 5, 0), UdpVerdict::kMalformed},
      {"datagram longer than the packet", with(good, 45, 14), UdpVerdict::kMalformed},
      {"datagram shorter than the packet", with(good, 45, 12), UdpVerdict::kDatagram},
      {"datagram shorter than its header", with(good, 45, 7), UdpVerdict::kMalformed},
      {"datagram of no length", with(good, 45, 0), UdpVerdict::kMalformed},
      {"version 4", with(good, 0, 0x45), UdpVerdict::kMalformed},
      {"version 7", with(good, 0, 0x70), UdpVerdict::kMalformed},
  });
}

TEST(UdpPacket, RefusesAPacketCutOffAnywhere) {
  const Bytes datagram = udp(1, 2, kHello);
  for (const Bytes& whole : {Ipv4{.payload = datagram}.bytes(),
                             Ipv4{.options = Bytes(8, 1), .payload = datagram}.bytes(),
                             summed(Ipv6{.payload = datagram}.bytes())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes packet(whole.begin(), whole.begin() + size);
      EXPECT_EQ(parse_udp_packet(packet, false).verdict, UdpVerdict::kMalformed) << size;
      EXPECT_EQ(parse_udp_packet(packet, true).verdict, UdpVerdict::kMalformed) << size;
    }
  }
}

TEST(UdpPacket, TrustsACardThatCheckedTheHeader) {
  const Bytes good = Ipv4{.payload = udp(1, 2, kHello)}.bytes();
  const Bytes bad = with(good, 10, static_cast<std::uint8_t>(good[10] ^ 1));
  EXPECT_EQ(parse_udp_packet(bad, false).verdict, UdpVerdict::kMalformed);
  EXPECT_EQ(parse_udp_packet(bad, true).verdict, UdpVerdict::kDatagram);
}

TEST(UdpPacket, FindsThePayloadBehindOptionsAndBeforePadding) {
  const Bytes datagram = join({udp(1, 2, kHello), Bytes(3, 0xee)});
  for (std::size_t options = 0; options <= 40; options += 4) {
    const Bytes packet =
        join({Ipv4{.options = Bytes(options, 1), .payload = datagram}.bytes(), Bytes(9, 0xdd)});
    const UdpPacket parsed = parse_udp_packet(packet, false);
    ASSERT_EQ(parsed.verdict, UdpVerdict::kDatagram) << options;
    EXPECT_FALSE(parsed.has_checksum);
    EXPECT_EQ(join({ByteView(packet).subspan(parsed.start, parsed.length)}), kHello) << options;
  }
}

TEST(UdpPacket, SeesADamagedBitByTheChecksum) {
  for (const Bytes& good : {summed(Ipv4{.payload = udp(1, 2, kHello)}.bytes()),
                            summed(Ipv6{.payload = udp(1, 2, kHello)}.bytes())}) {
    const bool v4 = good[0] >> 4 == 4;
    const UdpPacket whole = parse_udp_packet(good, false);
    EXPECT_TRUE(udp_checksum_is_right(good, whole));
    for (std::size_t bit = (v4 ? 12 : 8) * 8; bit < good.size() * 8; ++bit) {
      Bytes packet = good;
      packet[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      const UdpPacket parsed = parse_udp_packet(packet, true);
      EXPECT_FALSE(parsed.verdict == UdpVerdict::kDatagram && parsed.has_checksum &&
                   udp_checksum_is_right(packet, parsed))
          << "bit " << bit;
    }
  }
}

TEST(UdpPacket, KnowsAChecksumThatIsThePseudoHeadersSumAlone) {
  for (const Bytes& whole : {summed(Ipv4{.payload = udp(1, 2, kHello)}.bytes()),
                             summed(Ipv6{.payload = udp(1, 2, kHello)}.bytes())}) {
    Bytes packet = whole;
    const std::size_t at = whole[0] >> 4 == 4 ? 26 : 46;
    store_be(&packet[at], pseudo_header_sum(packet));
    const UdpPacket parsed = parse_udp_packet(packet, false);
    EXPECT_TRUE(udp_checksum_is_partial(packet, parsed));
    EXPECT_FALSE(udp_checksum_is_right(packet, parsed));
    EXPECT_FALSE(udp_checksum_is_partial(whole, parsed));
    ++packet[at + 1];
    EXPECT_FALSE(udp_checksum_is_partial(packet, parsed));
  }
}

TEST(UdpPacket, ChecksTheLargestDatagrams) {
  std::mt19937 random(1);
  Bytes payload(65507);
  for (auto& byte : payload)
    byte = static_cast<std::uint8_t>(random());
  const Bytes four = summed(Ipv4{.payload = udp(1, 2, payload)}.bytes());
  payload.resize(65527);
  const Bytes six = summed(Ipv6{.payload = udp(1, 2, payload)}.bytes());
  for (const Bytes& packet : {four, six}) {
    const UdpPacket parsed = parse_udp_packet(packet, false);
    ASSERT_EQ(parsed.verdict, UdpVerdict::kDatagram);
    EXPECT_EQ(std::size_t{parsed.start} + parsed.length, packet.size());
    EXPECT_TRUE(udp_checksum_is_right(packet, parsed));
  }
}

}  // namespace
}  // namespace ipop::engine
