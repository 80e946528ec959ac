#include "engine/net/neighbour_discovery.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::NeighbourPacket;
using testing::slow_message_checksum;
using testing::summed;
using testing::with;

using Kind = NeighbourMessage::Kind;

// RFC 4861 §4.3: an IPv6 header; type, code, checksum, reserved, target; option 1.
const char* const kSolicitation = R"(
  60000000 0020 3a ff
  20010db8000000000000000000000002
  ff0200000000000000000001ff000001
  87 00 1c27 00000000
  20010db8000000000000000000000001
  01 01 020000000002)";
// RFC 4861 §4.4: solicited and override; option 2.
const char* const kAdvertisement = R"(
  60000000 0020 3a ff
  20010db8000000000000000000000001
  20010db8000000000000000000000002
  88 00 8a73 60000000
  20010db8000000000000000000000001
  02 01 020000000001)";

NeighbourMessage solicitation() {
  return {.kind = Kind::kSolicitation,
          .source = ip("2001:db8::2"),
          .destination = ip("ff02::1:ff00:1"),
          .target = ip("2001:db8::1"),
          .link_layer = kTheirMac};
}

NeighbourMessage advertisement() {
  return {.kind = Kind::kAdvertisement,
          .source = ip("2001:db8::1"),
          .destination = ip("2001:db8::2"),
          .target = ip("2001:db8::1"),
          .link_layer = kOurMac,
          .solicited = true,
          .override = true};
}

Bytes written(const NeighbourMessage& message) {
  std::array<std::uint8_t, kNeighbourMessageSize> buffer;
  ByteWriter out(buffer);
  write_neighbour_message(message, out);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.size(), kNeighbourMessageSize);
  return {buffer.begin(), buffer.end()};
}

void expect_same(const NeighbourMessage& message, const NeighbourMessage& expected) {
  EXPECT_EQ(message.kind, expected.kind);
  EXPECT_EQ(message.source, expected.source);
  EXPECT_EQ(message.destination, expected.destination);
  EXPECT_EQ(message.target, expected.target);
  EXPECT_EQ(message.link_layer, expected.link_layer);
  EXPECT_EQ(message.router, expected.router);
  EXPECT_EQ(message.solicited, expected.solicited);
  EXPECT_EQ(message.override, expected.override);
}

TEST(NeighbourDiscovery, WritesASolicitationAndAnAdvertisement) {
  EXPECT_EQ(written(solicitation()), hex(kSolicitation));
  EXPECT_EQ(written(advertisement()), hex(kAdvertisement));
}

TEST(NeighbourDiscovery, ReadsASolicitationAndAnAdvertisement) {
  const auto asked = parse_neighbour_message(hex(kSolicitation));
  ASSERT_TRUE(asked);
  expect_same(*asked, solicitation());
  const auto answered = parse_neighbour_message(hex(kAdvertisement));
  ASSERT_TRUE(answered);
  expect_same(*answered, advertisement());
}

TEST(NeighbourDiscovery, KeepsEveryFlagInItsBit) {
  for (unsigned flags = 0; flags < 8; ++flags) {
    NeighbourMessage message = advertisement();
    message.router = (flags & 4) != 0;
    message.solicited = (flags & 2) != 0;
    message.override = (flags & 1) != 0;
    const Bytes packet = written(message);
    EXPECT_EQ(packet[44], flags << 5);
    EXPECT_EQ(slow_message_checksum(packet), 0);
    const auto parsed = parse_neighbour_message(packet);
    ASSERT_TRUE(parsed);
    expect_same(*parsed, message);
  }
}

TEST(NeighbourDiscovery, ReadsWhatItWrote) {
  std::mt19937 random(1);
  const auto address = [&] {
    IpAddress::Bytes bytes{0x20, 0x01};
    for (std::size_t i = 2; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(random());
    return IpAddress(bytes);
  };
  for (int round = 0; round < 1000; ++round) {
    NeighbourMessage message = round % 2 == 0 ? solicitation() : advertisement();
    message.source = address();
    message.destination = address();
    message.target = address();
    message.link_layer = MacAddress{{0x02, static_cast<std::uint8_t>(random()), 0, 0, 0, 0x09}};
    const Bytes packet = written(message);
    ASSERT_EQ(slow_message_checksum(packet), 0);
    const auto parsed = parse_neighbour_message(packet);
    ASSERT_TRUE(parsed);
    expect_same(*parsed, message);
  }
}

TEST(NeighbourDiscovery, JudgesEveryKindOfSolicitation) {
  const Bytes good = NeighbourPacket{}.bytes();
  Bytes short_of_a_byte = NeighbourPacket{.options = {}}.bytes();
  short_of_a_byte.pop_back();
  --short_of_a_byte[5];
  struct Case {
    const char* description;
    Bytes packet;
    bool accepted;
  };
  const Case cases[] = {
      {"as it should be", good, true},
      {"padded", join({good, Bytes(14, 0xee)}), true},
      {"unicast", NeighbourPacket{.destination = "2001:db8::1"}.bytes(), true},
      {"from link-local", NeighbourPacket{.source = "fe80::2"}.bytes(), true},
      {"without options", NeighbourPacket{.options = {}}.bytes(), true},
      {"reserved bits set", NeighbourPacket{.flags = 0xff}.bytes(), true},
      {"search for a duplicate", NeighbourPacket{.source = "::", .options = {}}.bytes(), true},
      {"search for a duplicate with a nonce (RFC 7527)",
       NeighbourPacket{.source = "::", .options = hex("0e01 a1a2a3a4a5a6")}.bytes(), true},
      {"search for a duplicate that says where it is", NeighbourPacket{.source = "::"}.bytes(),
       false},
      {"search for a duplicate among all nodes",
       NeighbourPacket{.source = "::", .destination = "ff02::1", .options = {}}.bytes(), false},
      {"search for a duplicate in another group",
       NeighbourPacket{.source = "::", .destination = "ff02::1:ff00:2", .options = {}}.bytes(),
       false},
      {"search for a duplicate, unicast",
       NeighbourPacket{.source = "::", .destination = "2001:db8::1", .options = {}}.bytes(), false},
      {"came through a router", NeighbourPacket{.hop_limit = 254}.bytes(), false},
      {"hop limit 0", NeighbourPacket{.hop_limit = 0}.bytes(), false},
      {"code", NeighbourPacket{.code = 1}.bytes(), false},
      {"wrong checksum", with(good, 42, static_cast<std::uint8_t>(good[42] ^ 1)), false},
      {"for a group", NeighbourPacket{.target = "ff02::1"}.bytes(), false},
      {"from a group", NeighbourPacket{.source = "ff02::1"}.bytes(), false},
      {"version 4", with(good, 0, 0x40), false},
      {"longer than the packet", with(good, 5, 33), false},
      {"shorter than its message", with(good, 5, 23), false},
      {"of no length", with(good, 5, 0), false},
      {"without its target's last byte, padded", join({summed(short_of_a_byte), Bytes(9)}), false},
      {"router solicitation", NeighbourPacket{.type = 133}.bytes(), false},
      {"redirect", NeighbourPacket{.type = 137}.bytes(), false},
      {"not ICMPv6", with(good, 6, 17), false},
      {"behind an extension header", with(good, 6, 0), false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_neighbour_message(c.packet).has_value(), c.accepted) << c.description;
}

TEST(NeighbourDiscovery, JudgesEveryKindOfAdvertisement) {
  const NeighbourPacket good{.type = 136,
                             .source = "2001:db8::1",
                             .destination = "2001:db8::2",
                             .flags = 0x60,
                             .options = hex("0201 020000000001")};
  const auto but = [&](auto change) {
    NeighbourPacket packet = good;
    change(packet);
    return packet.bytes();
  };
  struct Case {
    const char* description;
    Bytes packet;
    bool accepted;
  };
  const Case cases[] = {
      {"as it should be", good.bytes(), true},
      {"without options", but([](auto& p) { p.options = {}; }), true},
      {"from another than its target", but([](auto& p) { p.source = "fe80::1"; }), true},
      {"to all nodes, unasked", but([](auto& p) {
         p.destination = "ff02::1";
         p.flags = 0x20;
       }),
       true},
      {"to all nodes, as if they had asked", but([](auto& p) { p.destination = "ff02::1"; }),
       false},
      {"came through a router", but([](auto& p) { p.hop_limit = 64; }), false},
      {"code", but([](auto& p) { p.code = 1; }), false},
      {"for a group", but([](auto& p) { p.target = "ff02::1:ff00:1"; }), false},
      {"from a group", but([](auto& p) { p.source = "ff02::1"; }), false},
      {"wrong checksum", with(good.bytes(), 43, 0), false},
      {"target is at a group", but([](auto& p) { p.options = hex("0201 030000000001"); }), false},
      {"target is nowhere", but([](auto& p) { p.options = hex("0201 000000000000"); }), false},
      {"version 4", with(good.bytes(), 0, 0x45), false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_neighbour_message(c.packet).has_value(), c.accepted) << c.description;
}

TEST(NeighbourDiscovery, TakesTheOptionOfItsKindAndStepsOverOthers) {
  struct Case {
    const char* description;
    const char* options;
    bool accepted;
    bool says_where;
  };
  const Case cases[] = {
      {"none", "", true, false},
      {"its own", "0101 020000000002", true, true},
      {"behind one that nobody knows", "0e01 000000000000 0101 020000000002", true, true},
      {"before a long one", "0101 020000000002 fd02 0000000000000000000000000000", true, true},
      {"an advertisement's", "0201 020000000002", true, false},
      {"of other links, with longer addresses", "0102 0200000000020000000000000000", true, false},
      {"of no length", "0100 020000000002", false, false},
      {"one that nobody knows, of no length", "0e00 000000000000 0101 020000000002", false, false},
      {"of no length at the end", "0101 020000000002 0100", false, false},
      {"cut off", "0102 020000000002", false, false},
      {"one that nobody knows, cut off", "0101 020000000002 0eff 000000000000", false, false},
      {"a single byte", "01", false, false},
      {"a single byte at the end", "0101 020000000002 01", false, false},
      {"a group", "0101 010000000002", false, false},
      {"all stations", "0101 ffffffffffff", false, false},
      {"no station", "0101 000000000000", false, false},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_neighbour_message(NeighbourPacket{.options = hex(c.options)}.bytes());
    ASSERT_EQ(parsed.has_value(), c.accepted) << c.description;
    if (!parsed) continue;
    EXPECT_EQ(parsed->link_layer.has_value(), c.says_where) << c.description;
    EXPECT_EQ(parsed->link_layer.value_or(kTheirMac), kTheirMac) << c.description;
  }
}

TEST(NeighbourDiscovery, WrittenWithoutALinkLayerAddressItIsRefused) {
  NeighbourMessage message = advertisement();
  message.link_layer.reset();
  const Bytes packet = written(message);
  EXPECT_EQ(slow_message_checksum(packet), 0);
  EXPECT_FALSE(parse_neighbour_message(packet));
}

TEST(NeighbourDiscovery, RefusesAMessageCutOffAnywhere) {
  for (const Bytes& whole : {hex(kSolicitation), hex(kAdvertisement)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes packet(whole.begin(), whole.begin() + size);
      EXPECT_FALSE(parse_neighbour_message(packet)) << size;
      EXPECT_EQ(is_neighbour_discovery(packet), size > 40) << size;
    }
  }
}

TEST(NeighbourDiscovery, RefusesAMessageWithADamagedBit) {
  for (const Bytes& good : {hex(kSolicitation), hex(kAdvertisement)}) {
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      // Nothing covers the traffic class and the flow label, and nothing depends on them.
      const bool is_free = bit / 8 < 4 && !(bit / 8 == 0 && bit % 8 >= 4);
      Bytes packet = good;
      packet[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      EXPECT_EQ(parse_neighbour_message(packet).has_value(), is_free) << "bit " << bit;
    }
  }
}

TEST(NeighbourDiscovery, TellsItsMessagesFromAllElse) {
  const Bytes good = hex(kSolicitation);
  EXPECT_TRUE(is_neighbour_discovery(good));
  EXPECT_TRUE(is_neighbour_discovery(hex(kAdvertisement)));
  EXPECT_FALSE(is_neighbour_discovery(with(good, 6, 17)));
  EXPECT_FALSE(is_neighbour_discovery(with(good, 6, 0)));
  for (const unsigned type : {1u, 128u, 129u, 133u, 134u, 137u})
    EXPECT_FALSE(is_neighbour_discovery(with(good, 40, static_cast<std::uint8_t>(type)))) << type;
}

TEST(NeighbourDiscovery, SaysWhenAMessageDoesNotFit) {
  for (std::size_t room = 0; room < kNeighbourMessageSize; ++room) {
    Bytes buffer(room);
    ByteWriter out(buffer);
    write_neighbour_message(solicitation(), out);
    EXPECT_FALSE(out.ok()) << room;
  }
}

TEST(NeighbourDiscovery, SumsItsOwnMessageBehindOthers) {
  std::array<std::uint8_t, 14 + kNeighbourMessageSize> buffer;
  ByteWriter out(buffer);
  out.bytes(Bytes(14, 0xee));
  write_neighbour_message(solicitation(), out);
  EXPECT_EQ(join({out.written()}), join({Bytes(14, 0xee), hex(kSolicitation)}));
}

TEST(NeighbourDiscovery, AsksInTheGroupOfTheTargetsLastBytes) {
  // The examples of RFC 4291 §2.7.1 and RFC 2464 §7.
  EXPECT_EQ(solicited_node(ip("4037::01:800:200e:8c6c")), ip("ff02::1:ff0e:8c6c"));
  EXPECT_EQ(solicited_node(ip("fe80::ffff:ffff")), ip("ff02::1:ffff:ffff"));
  EXPECT_EQ(group_mac(ip("ff02::1:ff0e:8c6c")).to_string(), "33:33:ff:0e:8c:6c");
  EXPECT_EQ(group_mac(ip("ff02::1")).to_string(), "33:33:00:00:00:01");
}

TEST(NeighbourDiscovery, RefusesIpv4MappedAddresses) {
  const std::string mapped = "::ffff:192.0.2.1";
  EXPECT_FALSE(parse_neighbour_message(NeighbourPacket{.target = mapped}.bytes()));
  // Accepted as well: both mapped, so that the pseudo-header is summed as IPv4's.
  EXPECT_FALSE(parse_neighbour_message(
      NeighbourPacket{.source = "::ffff:192.0.2.2", .destination = mapped}.bytes()));
}

}  // namespace
}  // namespace ipop::engine
