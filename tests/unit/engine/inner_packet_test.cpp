#include "engine/path/inner_packet.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ipop::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A packet from 10.0.0.1 to 10.0.0.2.
Bytes v4(std::uint16_t total, std::size_t available, std::uint8_t words = 5) {
  Bytes packet(available);
  const std::uint8_t header[] = {static_cast<std::uint8_t>(0x40 | words),
                                 0,
                                 static_cast<std::uint8_t>(total >> 8),
                                 static_cast<std::uint8_t>(total),
                                 0,
                                 0,
                                 0,
                                 0,
                                 64,
                                 17,
                                 0,
                                 0,
                                 10,
                                 0,
                                 0,
                                 1,
                                 10,
                                 0,
                                 0,
                                 2};
  std::copy_n(header, std::min(available, sizeof header), packet.begin());
  return packet;
}

// A packet from fd00::1 to fd00::2.
Bytes v6(std::uint16_t payload, std::size_t available, std::uint8_t next = 6) {
  Bytes packet(available);
  Bytes header(40);
  header[0] = 0x60;
  store_be<std::uint16_t>(&header[4], payload);
  header[6] = next;
  header[8] = header[24] = 0xfd;
  header[23] = 1;
  header[39] = 2;
  std::copy_n(header.begin(), std::min<std::size_t>(available, 40), packet.begin());
  return packet;
}

Bytes with(Bytes packet, std::size_t at, std::initializer_list<std::uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), packet.begin() + static_cast<std::ptrdiff_t>(at));
  return packet;
}

TEST(InnerPacket, TellsWhatIsInAnIpv4Packet) {
  const auto inner = parse_inner(v4(100, 100, 6));
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->version, 4);
  EXPECT_EQ(inner->header_length, 24);
  EXPECT_EQ(inner->protocol, 17);
  EXPECT_EQ(inner->total_length, 100u);
  EXPECT_EQ(inner->source.to_string(), "10.0.0.1");
  EXPECT_EQ(inner->destination.to_string(), "10.0.0.2");
  EXPECT_EQ(inner->ether_type(), 0x0800);
}

TEST(InnerPacket, TellsWhatIsInAnIpv6Packet) {
  const auto inner = parse_inner(v6(60, 100));
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->version, 6);
  EXPECT_EQ(inner->header_length, 40);
  EXPECT_EQ(inner->protocol, 6);
  EXPECT_EQ(inner->total_length, 100u);
  EXPECT_EQ(inner->source.to_string(), "fd00::1");
  EXPECT_EQ(inner->destination.to_string(), "fd00::2");
  EXPECT_EQ(inner->ether_type(), 0x86dd);
}

struct Case {
  const char* description;
  Bytes bytes;
  std::uint32_t total_length;  // 0: refused
};

TEST(InnerPacket, TakesWholePacketsAndNothingElse) {
  const Case cases[] = {
      {"nothing", {}, 0},
      {"one byte of IPv4", v4(20, 1), 0},
      {"IPv4 header cut off", v4(20, 19), 0},
      {"IPv4 header alone", v4(20, 20), 20},
      {"IPv4 with padding", v4(20, 32), 20},
      {"IPv4 longer than available", v4(33, 32), 0},
      {"IPv4 shorter than its header", v4(19, 32), 0},
      {"IPv4 of no length, as of a super-packet without one", v4(0, 32), 0},
      {"IPv4 options up to its end", v4(60, 60, 15), 60},
      {"IPv4 options beyond its end", v4(59, 60, 15), 0},
      {"IPv4 header length below five words", v4(20, 20, 4), 0},
      {"IPv4 header length of zero", v4(20, 20, 0), 0},
      {"largest IPv4", v4(65535, 65535), 65535},
      {"one byte of IPv6", v6(0, 1), 0},
      {"IPv6 header cut off", v6(0, 39), 0},
      {"IPv6 header alone", v6(0, 40, 59), 40},
      {"IPv6 with padding", v6(4, 48), 44},
      {"IPv6 longer than available", v6(9, 48), 0},
      {"largest IPv6", v6(65535, 65575), 65575},
      {"IPv6 jumbogram", v6(0, 100, 0), 0},
      {"IPv6 from a mapped address", with(v6(8, 48), 8, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}),
       0},
      {"IPv6 to a mapped address", with(v6(8, 48), 24, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}),
       0},
      {"IPv6 from an address that only looks mapped",
       with(v6(8, 48), 8, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff}), 48},
      {"version 5", with(v4(20, 20), 0, {0x55}), 0},
      {"version 0", with(v4(20, 20), 0, {0x05}), 0},
      {"control message", {0x10, 0, 0, 0}, 0},
  };
  for (const Case& one : cases) {
    const auto inner = parse_inner(one.bytes);
    EXPECT_EQ(inner ? inner->total_length : 0, one.total_length) << one.description;
  }
}

TEST(InnerPacket, NeverClaimsMoreThanThereIs) {
  std::mt19937 random(3);
  int parsed = 0;
  for (int i = 0; i < 100'000; ++i) {
    Bytes packet(random() % 80);
    for (auto& byte : packet)
      byte = static_cast<std::uint8_t>(random());
    if (packet.size() > 6 && i % 4 != 0) {
      packet[0] = static_cast<std::uint8_t>(i % 2 == 0 ? 0x45 + random() % 4 : 0x60);
      packet[packet[0] == 0x60 ? 4 : 2] = 0;
    }
    if (const auto inner = parse_inner(packet)) {
      ++parsed;
      ASSERT_LE(inner->total_length, packet.size());
      ASSERT_LE(inner->header_length, inner->total_length);
    }
  }
  EXPECT_GT(parsed, 1000);
}

TEST(EthernetFrame, IsSortedByDestinationAndEtherType) {
  const auto frame = [](std::uint8_t first, std::uint16_t ether_type, std::size_t size = 60) {
    Bytes bytes(std::max<std::size_t>(size, 14));
    bytes[0] = first;
    store_be<std::uint16_t>(&bytes[12], ether_type);
    bytes.resize(size);
    return bytes;
  };
  EXPECT_EQ(classify_frame(frame(0x02, 0x0800)), FrameKind::kIpv4);
  EXPECT_EQ(classify_frame(frame(0x02, 0x86dd)), FrameKind::kIpv6);
  EXPECT_EQ(classify_frame(frame(0x02, 0x0800, 14)), FrameKind::kIpv4);
  EXPECT_EQ(classify_frame(frame(0x02, 0x0800, 13)), FrameKind::kTruncated);
  EXPECT_EQ(classify_frame({}), FrameKind::kTruncated);
  EXPECT_EQ(classify_frame(frame(0x01, 0x0800)), FrameKind::kMulticast);
  EXPECT_EQ(classify_frame(frame(0x33, 0x86dd)), FrameKind::kMulticast);
  EXPECT_EQ(classify_frame(frame(0xff, 0x0800)), FrameKind::kMulticast);
  EXPECT_EQ(classify_frame(frame(0x02, 0x0806)), FrameKind::kNotIp);
  EXPECT_EQ(classify_frame(frame(0x01, 0x88cc)), FrameKind::kNotIp);
  EXPECT_EQ(classify_frame(frame(0x02, 0x8100)), FrameKind::kNotIp);
}

}  // namespace
}  // namespace ipop::engine
