#include <gtest/gtest.h>

#include <random>

#include "engine/net/udp_packet.hpp"
#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::slow_checksum;
using testing::slow_message_checksum;

using Checksum = UdpHeaders::Checksum;

const Bytes kHello = hex("68656c6c6f");
const Endpoint kTo4{ip("198.51.100.7"), 4546};
const Endpoint kTo6{ip("2001:db8:1::7"), 4546};

// The whole frame. What stands in front of the headers and the payload itself must not change.
Bytes sent(const UdpHeaders& headers, const Bytes& payload, const Endpoint& to, Checksum checksum,
           bool ip_checksum = true) {
  constexpr std::size_t kBefore = 16;
  const std::size_t start = kBefore + headers.size();
  Bytes buffer = join({Bytes(start, 0xee), payload, Bytes(4, 0xdd)});
  headers.write_before(&buffer[start], static_cast<std::uint16_t>(payload.size()), kTheirMac, to,
                       4545, checksum, ip_checksum);
  const ByteView all(buffer);
  EXPECT_EQ(join({all.first(kBefore)}), Bytes(kBefore, 0xee));
  EXPECT_EQ(join({all.subspan(start)}), join({payload, Bytes(4, 0xdd)}));
  return join({all.subspan(kBefore, headers.size() + payload.size())});
}

// By the pseudo-header's sum in the checksum's place and nothing else, as cards do it (RFC 1071
// §1).
Bytes completed(Bytes frame, const UdpHeaders& headers) {
  const std::size_t udp = headers.ethernet_size() + headers.ip_size();
  const std::uint16_t checksum = slow_checksum(ByteView(frame).subspan(udp));
  store_be<std::uint16_t>(&frame[udp + 6], checksum == 0 ? 0xffff : checksum);
  return frame;
}

TEST(UdpHeaders, WritesIpv4) {
  const UdpHeaders headers(kOurMac, kNoVlan, ip("192.0.2.1"));
  EXPECT_EQ(headers.source(), ip("192.0.2.1"));
  EXPECT_EQ(headers.size(), 42u);
  EXPECT_EQ(headers.ethernet_size(), 14u);
  EXPECT_EQ(headers.ip_size(), 20u);
  struct Case {
    Checksum checksum;
    bool ip_checksum;
    const char* frame;
  };
  const Case cases[] = {
      {Checksum::kWhole, true, R"(020000000002 020000000001 0800
        4500 0021 0000 4000 40 11 4e90 c0000201 c6336407 11c1 11c2 000d ac42 68656c6c6f)"},
      {Checksum::kPseudo, true, R"(020000000002 020000000001 0800
        4500 0021 0000 4000 40 11 4e90 c0000201 c6336407 11c1 11c2 000d ec5a 68656c6c6f)"},
      {Checksum::kNone, true, R"(020000000002 020000000001 0800
        4500 0021 0000 4000 40 11 4e90 c0000201 c6336407 11c1 11c2 000d 0000 68656c6c6f)"},
      {Checksum::kPseudo, false, R"(020000000002 020000000001 0800
        4500 0021 0000 4000 40 11 0000 c0000201 c6336407 11c1 11c2 000d ec5a 68656c6c6f)"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(sent(headers, kHello, kTo4, c.checksum, c.ip_checksum), hex(c.frame)) << c.frame;
}

TEST(UdpHeaders, WritesIpv6BehindAVlanTag) {
  const UdpHeaders headers(kOurMac, 100, ip("2001:db8::1"));
  EXPECT_EQ(headers.size(), 66u);
  EXPECT_EQ(headers.ethernet_size(), 18u);
  EXPECT_EQ(headers.ip_size(), 40u);
  const Bytes start = hex(R"(020000000002 020000000001 8100 0064 86dd 60000000 000d 11 40
    20010db8000000000000000000000001 20010db8000100000000000000000007 11c1 11c2 000d)");
  EXPECT_EQ(sent(headers, kHello, kTo6, Checksum::kWhole), join({start, hex("3d04 68656c6c6f")}));
  EXPECT_EQ(sent(headers, kHello, kTo6, Checksum::kPseudo), join({start, hex("5b99 68656c6c6f")}));
}

TEST(UdpHeaders, WritesWhatIsReadBackRightWithEveryChecksum) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    const bool v4 = random() % 2 == 0;
    const std::uint16_t vlan =
        static_cast<std::uint16_t>(random() % 2 == 0 ? kNoVlan : 1 + random() % 4095);
    const auto address = [&] {
      IpAddress::Bytes bytes{0x20};
      for (std::size_t i = 1; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(random());
      return v4 ? IpAddress::v4(random() % 8 == 0 ? 0xffffffff
                                                  : static_cast<std::uint32_t>(random()))
                : IpAddress(bytes);
    };
    const UdpHeaders headers(kOurMac, vlan, address());
    const Endpoint to{address(), static_cast<std::uint16_t>(random())};
    Bytes payload(random() % 3 == 0 ? random() % 20 : random() % 2000);
    for (auto& byte : payload)
      byte = static_cast<std::uint8_t>(random());

    const Bytes whole = sent(headers, payload, to, Checksum::kWhole);
    const auto ethernet = parse_ethernet(whole);
    ASSERT_TRUE(ethernet);
    EXPECT_EQ(ethernet->header.to, kTheirMac);
    EXPECT_EQ(ethernet->header.from, kOurMac);
    EXPECT_EQ(ethernet->header.vlan, vlan);
    ASSERT_EQ(ethernet->size, headers.ethernet_size());
    const ByteView packet = ByteView(whole).subspan(ethernet->size);
    EXPECT_TRUE(!v4 || slow_checksum(packet.first(20)) == 0);
    EXPECT_EQ(slow_message_checksum(packet), 0);
    const UdpPacket parsed = parse_udp_packet(packet, false);
    ASSERT_EQ(parsed.verdict, UdpVerdict::kDatagram);
    EXPECT_EQ(parsed.start + ethernet->size, headers.size());
    EXPECT_EQ(parsed.length, payload.size());
    EXPECT_EQ(parsed.source, (Endpoint{headers.source(), 4545}));
    EXPECT_EQ(parsed.destination, to);
    EXPECT_TRUE(parsed.has_checksum);
    EXPECT_TRUE(udp_checksum_is_right(packet, parsed));

    ASSERT_EQ(completed(sent(headers, payload, to, Checksum::kPseudo), headers), whole);
    if (!v4) continue;
    const Bytes none = sent(headers, payload, to, Checksum::kNone);
    const UdpPacket unsummed = parse_udp_packet(ByteView(none).subspan(ethernet->size), false);
    EXPECT_EQ(unsummed.verdict, UdpVerdict::kDatagram);
    EXPECT_FALSE(unsummed.has_checksum);
  }
}

TEST(UdpHeaders, WritesAChecksumOfZeroAsAllOnes) {
  for (const auto& [source, to] :
       {std::pair(ip("192.0.2.1"), kTo4), std::pair(ip("2001:db8::1"), kTo6)}) {
    const UdpHeaders headers(kOurMac, kNoVlan, source);
    const std::size_t at = headers.size() - 2;
    Bytes payload(2);
    const Bytes other = sent(headers, payload, to, Checksum::kWhole);
    // The checksum of zeroes as payload makes the sum all ones.
    payload = {other[at], other[at + 1]};
    const Bytes frame = sent(headers, payload, to, Checksum::kWhole);
    EXPECT_EQ(load_be<std::uint16_t>(&frame[at]), 0xffff);
    const ByteView packet = ByteView(frame).subspan(headers.ethernet_size());
    const UdpPacket parsed = parse_udp_packet(packet, false);
    EXPECT_TRUE(parsed.has_checksum);
    EXPECT_TRUE(udp_checksum_is_right(packet, parsed));
    EXPECT_EQ(completed(sent(headers, payload, to, Checksum::kPseudo), headers), frame);
  }
}

TEST(UdpHeaders, SumIpv4sHeaderWhereEveryFoldCarries) {
  const UdpHeaders headers(kOurMac, kNoVlan, ip("255.255.255.255"));
  const Endpoint to{ip("255.255.255.255"), 0xffff};
  // 0x4500 + 0x4000 + 0x4011 + 4 * 0xffff + 15090 is 0x4ffff, which folds to 0x10003.
  for (std::size_t length = 15090 - 28 - 5; length <= 15090 - 28 + 5; ++length) {
    const Bytes frame = sent(headers, Bytes(length, 0xff), to, Checksum::kWhole);
    const ByteView packet = ByteView(frame).subspan(14);
    EXPECT_EQ(slow_checksum(packet.first(20)), 0) << length;
    EXPECT_EQ(slow_message_checksum(packet), 0) << length;
  }
}

TEST(UdpHeaders, LeaveNoTraceOfTheDatagramBefore) {
  const UdpHeaders headers(kOurMac, 7, ip("192.0.2.1"));
  const Bytes first = sent(headers, kHello, kTo4, Checksum::kWhole);
  static_cast<void>(sent(headers, Bytes(999, 1), {ip("203.0.113.9"), 9}, Checksum::kWhole));
  EXPECT_EQ(sent(headers, kHello, kTo4, Checksum::kWhole), first);
}

}  // namespace
}  // namespace ipop::engine
