#include "kni/neighbour.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "frames.hpp"
#include "kni/derived_mac.hpp"

namespace ipop::kni {
namespace {

using testing::arp_request;
using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::neighbour_solicitation;
using testing::slow_ipv6_checksum;
using testing::Solicitation;

struct Answered {
  NeighbourFrame frame;
  Bytes reply;
};

Answered ask(ByteView frame) {
  const NeighbourResponder responder({ip("192.168.10.10"), ip("fd00:10::10")});
  std::array<std::uint8_t, NeighbourResponder::kMaxReply> reply;
  const NeighbourAnswer answer = responder.answer(frame, reply);
  EXPECT_LE(answer.size, reply.size());
  EXPECT_EQ(answer.size != 0, answer.frame == NeighbourFrame::kAnswered);
  return {answer.frame, Bytes(reply.begin(), reply.begin() + answer.size)};
}

Bytes with(Bytes frame, std::size_t at, std::uint8_t value) {
  frame.at(at) = value;
  return frame;
}

// The part of an advertisement before its checksum and after.
const char* const kAdvertisement = R"(
  0249c0a80a0a MAC 86dd
  60000000 0020 3a ff
  fd000010000000000000000000000020
  fd000010000000000000000000000010
  88 00 CSUM 60000000
  fd000010000000000000000000000020
  02 01 MAC)";

TEST(NeighbourResponder, AnswersWhoHasForAPeer) {
  const Answered answered = ask(arp_request("192.168.10.10", "192.168.10.20"));
  EXPECT_EQ(answered.frame, NeighbourFrame::kAnswered);
  EXPECT_EQ(answered.reply, hex("0249c0a80a0a 0249c0a80a14 0806"
                                "0001 0800 06 04 0002"
                                "0249c0a80a14 c0a80a14"
                                "0249c0a80a0a c0a80a0a"));
}

TEST(NeighbourResponder, AnswersASolicitationForAPeer) {
  const Answered answered = ask(neighbour_solicitation({}));
  ASSERT_EQ(answered.frame, NeighbourFrame::kAnswered);
  ASSERT_EQ(answered.reply.size(), 86u);
  const ByteView packet = ByteView(answered.reply).subspan(14);
  EXPECT_EQ(slow_ipv6_checksum(packet), 0);

  std::string expected = kAdvertisement;
  std::string mac = derived_mac(ip("fd00:10::20")).to_string();
  std::erase(mac, ':');
  for (std::size_t at; (at = expected.find("MAC")) != std::string::npos;) {
    expected.replace(at, 3, mac);
  }
  expected.replace(expected.find("CSUM"), 4, "0000");
  Bytes without_checksum = answered.reply;
  without_checksum[56] = without_checksum[57] = 0;
  EXPECT_EQ(without_checksum, hex(expected));
}

TEST(NeighbourResponder, JudgesEveryKindOfArp) {
  const Bytes good = arp_request("192.168.10.10", "192.168.10.20");
  struct Case {
    const char* description;
    Bytes frame;
    NeighbourFrame expected;
  };
  const Case cases[] = {
      {"for a peer", good, NeighbourFrame::kAnswered},
      {"for an address in a routed subnet", arp_request("192.168.10.10", "10.9.1.2"),
       NeighbourFrame::kAnswered},
      {"unicast, to keep an entry alive", with(good, 0, 0x02), NeighbourFrame::kAnswered},
      {"padded to the Ethernet minimum",
       [&] {
         Bytes f = good;
         f.resize(60);
         return f;
       }(),
       NeighbourFrame::kAnswered},
      {"for our own address", arp_request("192.168.10.10", "192.168.10.10"),
       NeighbourFrame::kIgnored},
      {"for our own address, from another", arp_request("192.168.10.20", "192.168.10.10"),
       NeighbourFrame::kIgnored},
      {"announcement of another's", arp_request("192.168.10.20", "192.168.10.20"),
       NeighbourFrame::kIgnored},
      {"probe for a duplicate", arp_request("0.0.0.0", "192.168.10.20"), NeighbourFrame::kIgnored},
      {"for 0.0.0.0", arp_request("192.168.10.10", "0.0.0.0"), NeighbourFrame::kIgnored},
      {"for a multicast group", arp_request("192.168.10.10", "224.0.0.1"),
       NeighbourFrame::kIgnored},
      {"for loopback", arp_request("192.168.10.10", "127.0.0.1"), NeighbourFrame::kIgnored},
      {"a reply", with(good, 21, 2), NeighbourFrame::kIgnored},
      {"an unknown operation", with(good, 21, 9), NeighbourFrame::kIgnored},
      {"not Ethernet", with(good, 15, 6), NeighbourFrame::kMalformed},
      {"not IPv4", with(good, 16, 0x86), NeighbourFrame::kMalformed},
      {"hardware size", with(good, 18, 8), NeighbourFrame::kMalformed},
      {"protocol size", with(good, 19, 16), NeighbourFrame::kMalformed},
      {"asker is a group", with(good, 22, 0x01), NeighbourFrame::kMalformed},
      {"another EtherType", with(good, 13, 0x35), NeighbourFrame::kOther},
  };
  for (const Case& c : cases)
    EXPECT_EQ(ask(c.frame).frame, c.expected) << c.description;
}

TEST(NeighbourResponder, JudgesEveryKindOfSolicitation) {
  const Bytes good = neighbour_solicitation({});
  struct Case {
    const char* description;
    Bytes frame;
    NeighbourFrame expected;
  };
  const Case cases[] = {
      {"for a peer", good, NeighbourFrame::kAnswered},
      {"unicast, without options",
       neighbour_solicitation({.destination = "fd00:10::20", .options = {}}),
       NeighbourFrame::kAnswered},
      {"with an option nobody knows",
       neighbour_solicitation({.options = hex("0e01 000000000000"
                                              "0101 0249c0a80a0a")}),
       NeighbourFrame::kAnswered},
      {"for our own address", neighbour_solicitation({.target = "fd00:10::10"}),
       NeighbourFrame::kIgnored},
      {"search for a duplicate", neighbour_solicitation({.source = "::", .options = {}}),
       NeighbourFrame::kIgnored},
      {"for a link-local address", neighbour_solicitation({.target = "fe80::1"}),
       NeighbourFrame::kIgnored},
      {"for loopback", neighbour_solicitation({.target = "::1"}), NeighbourFrame::kIgnored},
      {"an advertisement", neighbour_solicitation({.type = 136}), NeighbourFrame::kIgnored},
      {"came through a router", neighbour_solicitation({.hop_limit = 254}),
       NeighbourFrame::kMalformed},
      {"code", neighbour_solicitation({.code = 1}), NeighbourFrame::kMalformed},
      {"wrong checksum", with(good, 56, static_cast<std::uint8_t>(good[56] ^ 1)),
       NeighbourFrame::kMalformed},
      {"for a group", neighbour_solicitation({.target = "ff02::1"}), NeighbourFrame::kMalformed},
      {"from a group", neighbour_solicitation({.source = "ff02::1"}), NeighbourFrame::kMalformed},
      {"search for a duplicate with a source", neighbour_solicitation({.source = "::"}),
       NeighbourFrame::kMalformed},
      {"option of no length", neighbour_solicitation({.options = hex("0100 0249c0a80a0a")}),
       NeighbourFrame::kMalformed},
      {"option cut off", neighbour_solicitation({.options = hex("0102 0249c0a80a0a")}),
       NeighbourFrame::kMalformed},
      {"option of one byte", neighbour_solicitation({.options = hex("01")}),
       NeighbourFrame::kMalformed},
      {"source is a group", neighbour_solicitation({.options = hex("0101 0149c0a80a0a")}),
       NeighbourFrame::kMalformed},
      {"version 4", with(good, 14, 0x45), NeighbourFrame::kMalformed},
      {"longer than the frame", with(good, 19, 200), NeighbourFrame::kMalformed},
      {"router solicitation", neighbour_solicitation({.type = 133}), NeighbourFrame::kOther},
      {"echo request", neighbour_solicitation({.type = 128}), NeighbourFrame::kOther},
      {"UDP", with(good, 20, 17), NeighbourFrame::kOther},
  };
  for (const Case& c : cases)
    EXPECT_EQ(ask(c.frame).frame, c.expected) << c.description;
}

TEST(NeighbourResponder, NeverAnswersATruncatedQuestion) {
  for (const Bytes& whole :
       {arp_request("192.168.10.10", "192.168.10.20"), neighbour_solicitation({})}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A heap block of just this size, so that a sanitizer sees a read past it.
      const Bytes frame(whole.begin(), whole.begin() + size);
      EXPECT_NE(ask(frame).frame, NeighbourFrame::kAnswered) << size;
    }
  }
}

TEST(NeighbourResponder, NeverAnswersADamagedSolicitation) {
  const Bytes good = neighbour_solicitation({});
  // All that the checksum covers: addresses and message.
  for (std::size_t bit = 22 * 8; bit < good.size() * 8; ++bit) {
    Bytes frame = good;
    frame[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_NE(ask(frame).frame, NeighbourFrame::kAnswered) << "bit " << bit;
  }
}

TEST(NeighbourResponder, DoesNotAnswerItself) {
  for (const Bytes& question :
       {arp_request("192.168.10.10", "192.168.10.20"), neighbour_solicitation({})}) {
    EXPECT_EQ(ask(ask(question).reply).frame, NeighbourFrame::kIgnored);
  }
}

}  // namespace
}  // namespace ipop::kni
