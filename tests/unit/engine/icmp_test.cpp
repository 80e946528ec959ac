#include "engine/path/icmp.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "engine/path/inner_packet.hpp"

namespace ipop::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Sum of 16-bit words with carries folded, by nothing of the code under test; 0xffff over data that
// holds its right checksum.
std::uint32_t word_sum(ByteView bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

struct V4 {
  const char* source = "192.168.10.10";
  const char* destination = "192.168.10.20";
  std::uint8_t protocol = 17;
  std::uint16_t fragment = 0;
  std::size_t options = 0;  // bytes, a multiple of four
  Bytes payload = Bytes(100, 0xab);

  [[nodiscard]] Bytes bytes() const {
    Bytes packet(20 + options);
    packet[0] = static_cast<std::uint8_t>(0x40 | (packet.size() / 4));
    store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(packet.size() + payload.size()));
    store_be<std::uint16_t>(&packet[6], fragment);
    packet[8] = 64;
    packet[9] = protocol;
    store_be<std::uint32_t>(&packet[12], IpAddress::parse(source)->v4());
    store_be<std::uint32_t>(&packet[16], IpAddress::parse(destination)->v4());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
  }
};

struct V6 {
  const char* source = "fd00::10";
  const char* destination = "fd00::20";
  std::uint8_t next = 17;
  Bytes payload = Bytes(100, 0xab);

  [[nodiscard]] Bytes bytes() const {
    Bytes packet(40);
    packet[0] = 0x60;
    store_be<std::uint16_t>(&packet[4], static_cast<std::uint16_t>(payload.size()));
    packet[6] = next;
    packet[7] = 64;
    const auto from = IpAddress::parse(source)->bytes();
    const auto to = IpAddress::parse(destination)->bytes();
    std::copy(from.begin(), from.end(), packet.begin() + 8);
    std::copy(to.begin(), to.end(), packet.begin() + 24);
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
  }
};

// The answer in a buffer of `room` bytes, behind which a byte out of place would show.
Bytes unreachable(const Bytes& packet, RejectReason reason = RejectReason::kHostUnreachable,
                  std::size_t room = kMaxIcmpv6Answer) {
  Bytes into(room + 16, 0xee);
  const std::size_t size = build_unreachable(packet, reason, MutableBytes(into).first(room));
  EXPECT_LE(size, room);
  for (std::size_t i = room; i < into.size(); ++i)
    EXPECT_EQ(into[i], 0xee);
  into.resize(size);
  return into;
}

Bytes too_big(const Bytes& packet, std::uint16_t mtu) {
  Bytes into(kMaxIcmpv6Answer);
  into.resize(build_too_big(packet, mtu, into));
  return into;
}

void expect_v4_answer(const Bytes& packet, const Bytes& answer, int code, std::uint32_t rest) {
  ASSERT_GE(answer.size(), 28u);
  EXPECT_LE(answer.size(), 576u);
  const auto inner = parse_inner(answer);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->total_length, answer.size());
  EXPECT_EQ(inner->source, parse_inner(packet)->destination);
  EXPECT_EQ(inner->destination, parse_inner(packet)->source);
  EXPECT_EQ(inner->protocol, 1);
  EXPECT_EQ(word_sum(ByteView(answer).first(20)), 0xffffu);
  EXPECT_EQ(word_sum(ByteView(answer).subspan(20)), 0xffffu);
  EXPECT_EQ(answer[20], 3);
  EXPECT_EQ(answer[21], code);
  EXPECT_EQ(load_be<std::uint32_t>(&answer[24]), rest);
  ASSERT_LE(answer.size() - 28, packet.size());
  EXPECT_TRUE(std::equal(answer.begin() + 28, answer.end(), packet.begin()));
}

void expect_v6_answer(const Bytes& packet, const Bytes& answer, int type, int code,
                      std::uint32_t rest) {
  ASSERT_GE(answer.size(), 48u);
  EXPECT_LE(answer.size(), 1280u);
  const auto inner = parse_inner(answer);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->total_length, answer.size());
  EXPECT_EQ(inner->source, parse_inner(packet)->destination);
  EXPECT_EQ(inner->destination, parse_inner(packet)->source);
  EXPECT_EQ(inner->protocol, 58);
  // Pseudo header: both addresses, length, next header.
  std::uint32_t sum = word_sum(ByteView(answer).subspan(8, 32));
  sum += static_cast<std::uint32_t>(answer.size() - 40) + 58;
  EXPECT_EQ(word_sum(ByteView(answer).subspan(40), (sum & 0xffff) + (sum >> 16)), 0xffffu);
  EXPECT_EQ(answer[40], type);
  EXPECT_EQ(answer[41], code);
  EXPECT_EQ(load_be<std::uint32_t>(&answer[44]), rest);
  ASSERT_LE(answer.size() - 48, packet.size());
  EXPECT_TRUE(std::equal(answer.begin() + 48, answer.end(), packet.begin()));
}

TEST(Icmp, SaysWhyAPacketIsNotCarriedInBothFamilies) {
  const Bytes four = V4{}.bytes();
  const Bytes six = V6{}.bytes();
  expect_v4_answer(four, unreachable(four, RejectReason::kHostUnreachable), 1, 0);
  expect_v4_answer(four, unreachable(four, RejectReason::kProhibited), 13, 0);
  expect_v4_answer(four, too_big(four, 1380), 4, 1380);
  expect_v6_answer(six, unreachable(six, RejectReason::kHostUnreachable), 1, 3, 0);
  expect_v6_answer(six, unreachable(six, RejectReason::kProhibited), 1, 1, 0);
  expect_v6_answer(six, too_big(six, 1380), 2, 0, 1380);
}

TEST(Icmp, QuotesAsMuchAsFitsAndKeepsItsChecksumAtEveryLength) {
  for (std::size_t length = 0; length < 1600; length += length < 64 ? 1 : 61) {
    const Bytes four = V4{.options = 8, .payload = Bytes(length, 0xfe)}.bytes();
    const Bytes six = V6{.payload = Bytes(length, 0xfe)}.bytes();
    const Bytes answer4 = unreachable(four);
    const Bytes answer6 = unreachable(six);
    expect_v4_answer(four, answer4, 1, 0);
    expect_v6_answer(six, answer6, 1, 3, 0);
    EXPECT_EQ(answer4.size(), std::min<std::size_t>(576, 28 + four.size()));
    EXPECT_EQ(answer6.size(), std::min<std::size_t>(1280, 48 + six.size()));
  }
}

TEST(Icmp, DoesNotQuotePaddingBehindThePacket) {
  Bytes packet = V4{.payload = Bytes(10)}.bytes();
  const std::size_t size = packet.size();
  packet.resize(size + 30, 0x55);
  EXPECT_EQ(unreachable(packet).size(), 28 + size);
}

TEST(Icmp, QuotesLessInALittleBufferButNeverLessThanEightBytesOfPayload) {
  const Bytes four = V4{}.bytes();
  const Bytes six = V6{}.bytes();
  for (std::size_t room = 0; room < 120; ++room) {
    const Bytes answer4 = unreachable(four, RejectReason::kHostUnreachable, room);
    const Bytes answer6 = unreachable(six, RejectReason::kHostUnreachable, room);
    EXPECT_EQ(answer4.size(), room < 28 + 28 ? 0 : room);
    EXPECT_EQ(answer6.size(), room < 48 + 48 ? 0 : room);
    if (!answer4.empty()) expect_v4_answer(four, answer4, 1, 0);
    if (!answer6.empty()) expect_v6_answer(six, answer6, 1, 3, 0);
  }
}

// What begins with an extension header of eight bytes.
Bytes behind(std::initializer_list<std::uint8_t> extension, const Bytes& rest) {
  Bytes bytes(extension);
  bytes.resize(8);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

struct Case {
  const char* description;
  Bytes packet;
  bool answered;
};

TEST(Icmp, AnswersNoErrorFragmentOrAddressThatIsNotOneHosts) {
  const Bytes echo6 = {128, 0, 0, 0, 0, 1, 0, 1};
  const Bytes error6 = {1, 3, 0, 0, 0, 0, 0, 0};
  Bytes deep = echo6;
  for (int i = 0; i < 9; ++i)
    deep = behind({static_cast<std::uint8_t>(i == 0 ? 58 : 60)}, deep);
  const Case cases[] = {
      {"UDP", V4{}.bytes(), true},
      {"not a packet", Bytes{0x45, 0}, false},
      {"echo request", V4{.protocol = 1, .payload = {8, 0, 0, 0}}.bytes(), true},
      {"echo reply", V4{.protocol = 1, .payload = {0, 0, 0, 0}}.bytes(), true},
      {"unreachable", V4{.protocol = 1, .payload = {3, 1, 0, 0}}.bytes(), false},
      {"source quench", V4{.protocol = 1, .payload = {4, 0, 0, 0}}.bytes(), false},
      {"redirect", V4{.protocol = 1, .payload = {5, 0, 0, 0}}.bytes(), false},
      {"time exceeded", V4{.protocol = 1, .payload = {11, 0, 0, 0}}.bytes(), false},
      {"parameter problem", V4{.protocol = 1, .payload = {12, 0, 0, 0}}.bytes(), false},
      {"unreachable behind options",
       V4{.protocol = 1, .options = 40, .payload = {3, 1, 0, 0}}.bytes(), false},
      {"ICMP without a type", V4{.protocol = 1, .payload = {}}.bytes(), false},
      {"first fragment", V4{.fragment = 0x2000}.bytes(), true},
      {"not to be fragmented", V4{.fragment = 0x4000}.bytes(), true},
      {"second fragment", V4{.fragment = 0x2001}.bytes(), false},
      {"last fragment", V4{.fragment = 0x1000}.bytes(), false},
      {"to a group", V4{.destination = "224.0.0.251"}.bytes(), false},
      {"to all", V4{.destination = "255.255.255.255"}.bytes(), false},
      {"to nobody", V4{.destination = "0.0.0.0"}.bytes(), false},
      {"to class E", V4{.destination = "240.0.0.1"}.bytes(), false},
      {"from nobody", V4{.source = "0.0.0.0"}.bytes(), false},
      {"from this network", V4{.source = "0.1.2.3"}.bytes(), false},
      {"from a group", V4{.source = "239.1.1.1"}.bytes(), false},
      {"from all", V4{.source = "255.255.255.255"}.bytes(), false},
      {"from loopback", V4{.source = "127.0.0.1"}.bytes(), false},
      {"UDP over IPv6", V6{}.bytes(), true},
      {"nothing over IPv6", V6{.next = 59, .payload = {}}.bytes(), true},
      {"ICMPv6 echo", V6{.next = 58, .payload = echo6}.bytes(), true},
      {"ICMPv6 error", V6{.next = 58, .payload = error6}.bytes(), false},
      {"ICMPv6 too big", V6{.next = 58, .payload = {2, 0, 0, 0}}.bytes(), false},
      {"ICMPv6 redirect", V6{.next = 58, .payload = {137, 0, 0, 0}}.bytes(), false},
      {"ICMPv6 without a type", V6{.next = 58, .payload = {}}.bytes(), false},
      {"echo behind options", V6{.next = 0, .payload = behind({58}, echo6)}.bytes(), true},
      {"error behind options", V6{.next = 0, .payload = behind({58}, error6)}.bytes(), false},
      {"error behind routing", V6{.next = 43, .payload = behind({58}, error6)}.bytes(), false},
      {"error behind AH of 8 bytes", V6{.next = 51, .payload = behind({58, 0}, error6)}.bytes(),
       false},
      {"options cut off", V6{.next = 60, .payload = {58, 0, 0}}.bytes(), false},
      {"options beyond the end", V6{.next = 60, .payload = behind({58, 9}, echo6)}.bytes(), false},
      {"more options than anybody has", V6{.next = 60, .payload = deep}.bytes(), false},
      {"first fragment, IPv6", V6{.next = 44, .payload = behind({17, 0, 0, 1}, Bytes(8))}.bytes(),
       true},
      {"second fragment, IPv6", V6{.next = 44, .payload = behind({17, 0, 0, 9}, Bytes(8))}.bytes(),
       false},
      {"fragment header cut off", V6{.next = 44, .payload = {17, 0, 0, 1}}.bytes(), false},
      {"to a group, IPv6", V6{.destination = "ff02::fb"}.bytes(), false},
      {"to nobody, IPv6", V6{.destination = "::"}.bytes(), false},
      {"from nobody, IPv6", V6{.source = "::"}.bytes(), false},
      {"from a group, IPv6", V6{.source = "ff02::1"}.bytes(), false},
      {"from link-local, IPv6", V6{.source = "fe80::1"}.bytes(), true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(!unreachable(one.packet).empty(), one.answered) << one.description;
    EXPECT_EQ(!too_big(one.packet, 1300).empty(), one.answered) << one.description;
  }
}

TEST(Icmp, NeverAnswersItsOwnAnswers) {
  EXPECT_TRUE(unreachable(unreachable(V4{}.bytes())).empty());
  EXPECT_TRUE(unreachable(too_big(V6{}.bytes(), 1300)).empty());
}

}  // namespace
}  // namespace ipop::engine
