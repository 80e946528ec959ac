#include "engine/net/arp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::kOurMac;
using testing::kTheirMac;
using testing::with;

// RFC 826: hardware, protocol, their sizes, operation; sender, target.
const char* const kRequest = "0001 0800 06 04 0001  020000000002 c0000202  000000000000 c0000201";
const char* const kReply = "0001 0800 06 04 0002  020000000001 c0000201  020000000002 c0000202";

Bytes written(const ArpMessage& message) {
  std::array<std::uint8_t, kArpSize> buffer;
  ByteWriter out(buffer);
  write_arp(message, out);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.size(), kArpSize);
  return {buffer.begin(), buffer.end()};
}

void expect_same(const ArpMessage& message, const ArpMessage& expected) {
  EXPECT_EQ(message.operation, expected.operation);
  EXPECT_EQ(message.sender_mac, expected.sender_mac);
  EXPECT_EQ(message.sender, expected.sender);
  EXPECT_EQ(message.target_mac, expected.target_mac);
  EXPECT_EQ(message.target, expected.target);
}

const ArpMessage kAsked{.operation = kArpRequest,
                        .sender_mac = kTheirMac,
                        .sender = IpAddress::v4(0xc0000202),
                        .target_mac = {},
                        .target = IpAddress::v4(0xc0000201)};
const ArpMessage kAnswered{.operation = kArpReply,
                           .sender_mac = kOurMac,
                           .sender = IpAddress::v4(0xc0000201),
                           .target_mac = kTheirMac,
                           .target = IpAddress::v4(0xc0000202)};

TEST(Arp, ReadsARequestAndAReply) {
  const auto request = parse_arp(hex(kRequest));
  ASSERT_TRUE(request);
  expect_same(*request, kAsked);
  const auto reply = parse_arp(hex(kReply));
  ASSERT_TRUE(reply);
  expect_same(*reply, kAnswered);
}

TEST(Arp, WritesARequestAndAReply) {
  EXPECT_EQ(written(kAsked), hex(kRequest));
  EXPECT_EQ(written(kAnswered), hex(kReply));
}

TEST(Arp, ReadsWhatItWrote) {
  std::mt19937 random(1);
  for (int round = 0; round < 1000; ++round) {
    ArpMessage message;
    message.operation = static_cast<std::uint16_t>(random());
    for (auto& byte : message.sender_mac.bytes)
      byte = static_cast<std::uint8_t>(random());
    for (auto& byte : message.target_mac.bytes)
      byte = static_cast<std::uint8_t>(random());
    message.sender_mac.bytes[0] &= 0xfe;
    message.sender = IpAddress::v4(static_cast<std::uint32_t>(random()));
    message.target = IpAddress::v4(static_cast<std::uint32_t>(random()));
    const auto parsed = parse_arp(written(message));
    ASSERT_TRUE(parsed);
    expect_same(*parsed, message);
  }
}

TEST(Arp, RefusesAMessageCutOffAnywhere) {
  const Bytes whole = hex(kRequest);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_arp(Bytes(whole.begin(), whole.begin() + size))) << size;
}

TEST(Arp, JudgesEveryField) {
  const Bytes good = hex(kRequest);
  Bytes padded = good;
  padded.resize(46, 0xee);
  struct Case {
    const char* description;
    Bytes message;
    bool accepted;
  };
  const Case cases[] = {
      {"as it should be", good, true},
      {"padded to the Ethernet minimum", padded, true},
      {"an operation nobody knows", with(good, 7, 9), true},
      {"from a probe", with(with(with(good, 14, 0), 16, 0), 17, 0), true},
      {"target's Ethernet address filled in", with(good, 18, 0xff), true},
      {"other hardware", with(good, 1, 6), false},
      {"other hardware, upper byte", with(good, 0, 1), false},
      {"another protocol", with(with(good, 2, 0x86), 3, 0xdd), false},
      {"hardware size", with(good, 4, 8), false},
      {"protocol size", with(good, 5, 16), false},
      {"sender is a group", with(good, 8, 0x03), false},
      {"sender is all stations",
       hex("0001 0800 06 04 0002 ffffffffffff c0000202"
           "020000000001 c0000201"),
       false},
      {"sender is nobody", with(with(good, 8, 0), 13, 0), false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_arp(c.message).has_value(), c.accepted) << c.description;
}

TEST(Arp, KnowsAnAnnouncement) {
  EXPECT_FALSE(parse_arp(hex(kRequest))->is_announcement());
  EXPECT_FALSE(parse_arp(hex(kReply))->is_announcement());
  // RFC 5227 §3: sender and target are one address; a reply does as well.
  for (const char* operation : {"0001", "0002"}) {
    const auto announcement = parse_arp(hex(std::string("0001 0800 06 04") + operation +
                                            "020000000002 c0000202 000000000000 c0000202"));
    ASSERT_TRUE(announcement);
    EXPECT_TRUE(announcement->is_announcement());
  }
}

}  // namespace
}  // namespace ipop::engine
