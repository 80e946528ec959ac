#include <gtest/gtest.h>

#include "link.hpp"

namespace ipop::engine {
namespace {

using namespace std::chrono_literals;
using testing::arp;
using testing::Bytes;
using testing::framed;
using testing::hex;
using testing::ip;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::kThirdMac;
using testing::Link;
using testing::NeighbourPacket;
using testing::on_vlan;
using testing::silent;
using testing::slow_message_checksum;
using testing::summed;

using Frames = std::vector<Bytes>;

const MacAddress kEverybody = MacAddress::broadcast();
const MacAddress kOurGroup{{0x33, 0x33, 0xff, 0, 0, 0x01}};

Bytes arp_frame(std::uint16_t operation, const MacAddress& from, const char* sender,
                const char* target, const Bytes& tag = {}) {
  return framed(kEverybody, from, 0x0806, arp(operation, from, sender, {}, target), tag);
}

Bytes nd_frame(const NeighbourPacket& packet, const MacAddress& from = kTheirMac,
               const Bytes& tag = {}) {
  return framed(kOurGroup, from, 0x86dd, packet.bytes(), tag);
}

NeighbourPacket advertisement(std::uint8_t flags, const char* options = "0201 020000000002") {
  return {.type = 136,
          .destination = (flags & 0x40) != 0 ? "2001:db8::1" : "ff02::1",
          .target = "2001:db8::2",
          .flags = flags,
          .options = hex(options)};
}

NeighbourPacket duplicate_search(const char* target, const char* group) {
  return {.source = "::", .destination = group, .target = target, .options = {}};
}

TEST(LinkStack, AnswersWhoHasForItsAddress) {
  Link link;
  const auto received = link.receive(arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1"));
  EXPECT_EQ(received.verdict, LinkVerdict::kNeighbour);
  EXPECT_FALSE(received.found_neighbour);
  EXPECT_EQ(link.reply, hex(R"(020000000002 020000000001 0806
    0001 0800 06 04 0002 020000000001 c0000201 020000000002 c0000202)"));
}

TEST(LinkStack, AnswersASolicitationForItsAddress) {
  Link link;
  const auto received = link.receive(nd_frame({}));
  EXPECT_EQ(received.verdict, LinkVerdict::kNeighbour);
  EXPECT_EQ(link.reply, hex(R"(020000000002 020000000001 86dd
    60000000 0020 3a ff 20010db8000000000000000000000001 20010db8000000000000000000000002
    88 00 8a73 60000000 20010db8000000000000000000000001 02 01 020000000001)"));
}

TEST(LinkStack, AnswersBehindTheTagOfItsVlan) {
  Link link(on_vlan(100));
  const Bytes tag = hex("8100 0064");
  link.receive(arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1", hex("8100 a064")));
  EXPECT_EQ(link.reply, hex(R"(020000000002 020000000001 8100 0064 0806
    0001 0800 06 04 0002 020000000001 c0000201 020000000002 c0000202)"));
  link.receive(nd_frame({}, kTheirMac, tag));
  EXPECT_EQ(link.reply.size(), LinkStack::kMaxReply);
  EXPECT_EQ(join({ByteView(link.reply).subspan(12, 6)}), hex("8100 0064 86dd"));
  EXPECT_EQ(slow_message_checksum(ByteView(link.reply).subspan(18)), 0);
}

TEST(LinkStack, AnswersASolicitationWithoutAnOptionWhereItCameFrom) {
  Link link;
  link.receive(nd_frame({.destination = "2001:db8::1", .options = {}}, kThirdMac));
  ASSERT_FALSE(link.reply.empty());
  EXPECT_EQ(join({ByteView(link.reply).first(6)}), join({kThirdMac.bytes}));
}

TEST(LinkStack, AnswersASearchForADuplicateOfItsAddress) {
  Link link;
  // RFC 5227 §1.1: a probe's sender has no address yet.
  link.receive(arp_frame(1, kThirdMac, "0.0.0.0", "192.0.2.1"));
  EXPECT_EQ(link.reply, hex(R"(020000000003 020000000001 0806
    0001 0800 06 04 0002 020000000001 c0000201 020000000003 00000000)"));
  // RFC 4861 §7.2.4: to all nodes, and not as if it had asked.
  link.receive(nd_frame(duplicate_search("2001:db8::1", "ff02::1:ff00:1"), kThirdMac));
  const Bytes packet = summed(hex(R"(
    60000000 0020 3a ff 20010db8000000000000000000000001 ff020000000000000000000000000001
    88 00 0000 20000000 20010db8000000000000000000000001 02 01 020000000001)"));
  EXPECT_EQ(link.reply, join({hex("333300000001 020000000001 86dd"), packet}));
  EXPECT_EQ(link.stack.conflicts(), 0u);
}

TEST(LinkStack, JudgesWhatNeighboursSay) {
  const auto damaged = [](Bytes frame, std::size_t at) {
    frame.at(at) ^= 1;
    return frame;
  };
  struct Case {
    const char* description;
    Bytes frame;
    LinkVerdict expected;
    bool answered;
  };
  const Bytes request = arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1");
  const Case cases[] = {
      {"ARP request", request, LinkVerdict::kNeighbour, true},
      {"ARP request, padded", join({request, Bytes(18)}), LinkVerdict::kNeighbour, true},
      {"ARP request for another", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.3"),
       LinkVerdict::kNeighbour, false},
      {"ARP probe for another", arp_frame(1, kTheirMac, "0.0.0.0", "192.0.2.3"),
       LinkVerdict::kNeighbour, false},
      {"ARP announcement", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.2"),
       LinkVerdict::kNeighbour, false},
      {"ARP announcement of our own", arp_frame(1, kTheirMac, "192.0.2.1", "192.0.2.1"),
       LinkVerdict::kNeighbour, false},
      {"ARP reply", arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.1"), LinkVerdict::kNeighbour,
       false},
      {"reverse ARP", arp_frame(3, kTheirMac, "192.0.2.2", "192.0.2.1"), LinkVerdict::kNeighbour,
       false},
      {"ARP of other hardware", damaged(request, 15), LinkVerdict::kMalformed, false},
      {"ARP from a group", damaged(request, 22), LinkVerdict::kMalformed, false},
      {"solicitation", nd_frame({}), LinkVerdict::kNeighbour, true},
      {"solicitation for another", nd_frame({.target = "2001:db8::3"}), LinkVerdict::kNeighbour,
       false},
      {"search for a duplicate of another",
       nd_frame(duplicate_search("2001:db8::3", "ff02::1:ff00:3")), LinkVerdict::kNeighbour, false},
      {"advertisement", nd_frame(advertisement(0x60)), LinkVerdict::kNeighbour, false},
      {"wrong checksum", damaged(nd_frame({}), 56), LinkVerdict::kMalformed, false},
      {"came through a router", nd_frame({.hop_limit = 254}), LinkVerdict::kMalformed, false},
      {"option of a group", nd_frame({.options = hex("0101 010000000002")}),
       LinkVerdict::kMalformed, false},
      {"asked by a group", nd_frame({.options = {}}, MacAddress{{0x03}}), LinkVerdict::kMalformed,
       false},
      {"asked by no station", nd_frame({.options = {}}, MacAddress{}), LinkVerdict::kMalformed,
       false},
      {"a group searches for a duplicate",
       nd_frame(duplicate_search("2001:db8::1", "ff02::1:ff00:1"), kEverybody),
       LinkVerdict::kMalformed, false},
  };
  for (const Case& c : cases) {
    Link link;
    EXPECT_EQ(link.verdict(c.frame), c.expected) << c.description;
    EXPECT_EQ(!link.reply.empty(), c.answered) << c.description;
    Link listener(silent());
    listener.receive(c.frame);
    EXPECT_TRUE(listener.reply.empty()) << c.description;
  }
}

TEST(LinkStack, AnswersNoQuestionCutOffAnywhere) {
  for (const Bytes& whole : {arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1"), nd_frame({}),
                             nd_frame(duplicate_search("2001:db8::1", "ff02::1:ff00:1"))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Link link;
      const Bytes frame(whole.begin(), whole.begin() + size);
      EXPECT_EQ(link.verdict(frame), LinkVerdict::kMalformed) << size;
      EXPECT_TRUE(link.reply.empty()) << size;
    }
  }
}

TEST(LinkStack, AsksByArp) {
  Link link;
  EXPECT_FALSE(link.stack.is_asking());
  EXPECT_TRUE(link.find("192.0.2.2").is_zero());
  EXPECT_TRUE(link.stack.is_asking());
  EXPECT_EQ(link.questions(), Frames{hex(R"(ffffffffffff 020000000001 0806
    0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202)")});
  const auto received = link.receive(arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.1"));
  EXPECT_TRUE(received.found_neighbour);
  EXPECT_FALSE(link.stack.is_asking());
  EXPECT_EQ(link.find("192.0.2.2"), kTheirMac);

  link.now += 30s;
  EXPECT_EQ(link.find("192.0.2.2"), kTheirMac);
  EXPECT_EQ(link.questions(), Frames{hex(R"(020000000002 020000000001 0806
    0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202)")});
  EXPECT_FALSE(link.receive(arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.1")).found_neighbour);
  EXPECT_FALSE(link.stack.is_asking());
}

TEST(LinkStack, AsksByNeighbourDiscovery) {
  Link link;
  EXPECT_TRUE(link.find("2001:db8::2").is_zero());
  EXPECT_EQ(link.questions(), Frames{join({hex("3333ff000002 020000000001 86dd"), summed(hex(R"(
    60000000 0020 3a ff 20010db8000000000000000000000001 ff0200000000000000000001ff000002
    87 00 0000 00000000 20010db8000000000000000000000002 01 01 020000000001)"))})});
  EXPECT_TRUE(link.receive(nd_frame(advertisement(0x60))).found_neighbour);
  EXPECT_FALSE(link.stack.is_asking());
  EXPECT_EQ(link.find("2001:db8::2"), kTheirMac);

  link.now += 30s;
  EXPECT_EQ(link.find("2001:db8::2"), kTheirMac);
  EXPECT_EQ(link.questions(), Frames{join({hex("020000000002 020000000001 86dd"), summed(hex(R"(
    60000000 0020 3a ff 20010db8000000000000000000000001 20010db8000000000000000000000002
    87 00 0000 00000000 20010db8000000000000000000000002 01 01 020000000001)"))})});
  // Asked by its address, it may leave out where it is (RFC 4861 §7.2.4).
  EXPECT_FALSE(link.receive(nd_frame(advertisement(0x60, ""))).found_neighbour);
  EXPECT_FALSE(link.stack.is_asking());
  EXPECT_EQ(link.find("2001:db8::2"), kTheirMac);
}

TEST(LinkStack, AsksBehindTheTagOfItsVlan) {
  Link link(on_vlan(4095));
  static_cast<void>(link.find("192.0.2.2"));
  EXPECT_EQ(link.questions(), Frames{hex(R"(ffffffffffff 020000000001 8100 0fff 0806
    0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202)")});
  link.now += 500ms;
  static_cast<void>(link.find("2001:db8::2"));
  const Frames questions = link.questions();
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(join({ByteView(questions[0]).first(18)}),
            hex("3333ff000002 020000000001 8100 0fff 86dd"));
}

TEST(LinkStack, GivesUpAfterThreeQuestions) {
  for (const char* address : {"192.0.2.2", "2001:db8::2"}) {
    Link link;
    static_cast<void>(link.find(address));
    for (int question = 0; question < 3; ++question, link.now += 1s)
      EXPECT_EQ(link.questions().size(), 1u);
    EXPECT_TRUE(link.lost.empty());
    EXPECT_TRUE(link.questions().empty());
    EXPECT_EQ(link.lost, std::vector<IpAddress>{ip(address)});
    EXPECT_FALSE(link.stack.is_asking());
  }
}

TEST(LinkStack, FindsANeighbourByAllThatItSays) {
  struct Case {
    const char* description;
    Bytes frame;
    bool found;
    bool confirmed;
  };
  const Case cases[] = {
      {"ARP reply to us", arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.1"), true, true},
      {"ARP reply to another", arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.3"), true, false},
      {"ARP announcement", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.2"), true, false},
      {"ARP announcement as a reply", arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.2"), true,
       false},
      {"ARP request to us", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1"), true, false},
      {"ARP request to another", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.3"), true, false},
      {"ARP probe", arp_frame(1, kTheirMac, "0.0.0.0", "192.0.2.2"), false, false},
      {"another's ARP reply", arp_frame(2, kTheirMac, "192.0.2.3", "192.0.2.1"), false, false},
      {"advertisement to us", nd_frame(advertisement(0x60)), true, true},
      {"advertisement of a router", nd_frame(advertisement(0xe0)), true, true},
      {"advertisement to all", nd_frame(advertisement(0x20)), true, false},
      {"advertisement that does not say where, from a group",
       nd_frame(advertisement(0x60, ""), MacAddress{{0x03}}), false, false},
      {"solicitation to us", nd_frame({}), true, false},
      {"solicitation to another", nd_frame({.target = "2001:db8::3"}), true, false},
      {"solicitation that does not say where it is", nd_frame({.options = {}}), false, false},
      {"search for a duplicate", nd_frame(duplicate_search("2001:db8::2", "ff02::1:ff00:2")), false,
       false},
      {"with a wrong checksum", nd_frame({.hop_limit = 1}), false, false},
  };
  for (const Case& c : cases) {
    for (const bool answers : {true, false}) {
      Link link(answers ? testing::both_families() : silent());
      const char* const address = c.frame[12] == 0x08 ? "192.0.2.2" : "2001:db8::2";
      EXPECT_TRUE(link.find(address).is_zero());
      EXPECT_EQ(link.questions().size(), 1u);
      EXPECT_EQ(link.receive(c.frame).found_neighbour, c.found) << c.description;
      EXPECT_EQ(link.stack.is_asking(), !c.confirmed) << c.description;
      EXPECT_EQ(link.find(address), c.found ? kTheirMac : MacAddress{}) << c.description;
      EXPECT_FALSE(link.receive(c.frame).found_neighbour) << c.description;
    }
  }
}

TEST(LinkStack, LearnsNobodyWhomItDidNotAskFor) {
  Link link;
  for (const Bytes& frame :
       {arp_frame(2, kTheirMac, "192.0.2.2", "192.0.2.1"), nd_frame(advertisement(0x60)),
        arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.1"), nd_frame({})}) {
    EXPECT_FALSE(link.receive(frame).found_neighbour);
  }
  EXPECT_FALSE(link.stack.is_asking());
  EXPECT_TRUE(link.find("192.0.2.2").is_zero());
  EXPECT_TRUE(link.find("2001:db8::2").is_zero());
}

TEST(LinkStack, CountsThoseWhoSayTheyHaveItsAddress) {
  struct Case {
    const char* description;
    Bytes frame;
    std::uint64_t conflicts;
  };
  NeighbourPacket ours = advertisement(0x20);
  ours.target = "2001:db8::1";
  NeighbourPacket own = ours;
  own.options = hex("0201 020000000001");
  const Case cases[] = {
      {"ARP announcement", arp_frame(1, kTheirMac, "192.0.2.1", "192.0.2.1"), 1},
      {"ARP request", arp_frame(1, kTheirMac, "192.0.2.1", "192.0.2.3"), 1},
      {"ARP reply", arp_frame(2, kTheirMac, "192.0.2.1", "192.0.2.3"), 1},
      {"our own announcement", arp_frame(1, kOurMac, "192.0.2.1", "192.0.2.1"), 0},
      {"ARP probe", arp_frame(1, kTheirMac, "0.0.0.0", "192.0.2.1"), 0},
      {"another's announcement", arp_frame(1, kTheirMac, "192.0.2.2", "192.0.2.2"), 0},
      {"advertisement", nd_frame(ours), 1},
      {"our own advertisement", nd_frame(own), 0},
      {"solicitation", nd_frame({.source = "2001:db8::1", .target = "2001:db8::3"}), 1},
      {"search for a duplicate", nd_frame(duplicate_search("2001:db8::1", "ff02::1:ff00:1")), 0},
  };
  for (const Case& c : cases) {
    for (const bool answers : {true, false}) {
      Link link(answers ? testing::both_families() : silent());
      EXPECT_EQ(link.verdict(c.frame), LinkVerdict::kNeighbour) << c.description;
      EXPECT_EQ(link.stack.conflicts(), c.conflicts) << c.description;
      link.receive(c.frame);
      EXPECT_EQ(link.stack.conflicts(), 2 * c.conflicts) << c.description;
    }
  }
}

TEST(LinkStack, AnnouncesEachOfItsAddresses) {
  for (const Bytes& tag : {Bytes{}, hex("8100 0064")}) {
    Link link(on_vlan(tag.empty() ? kNoVlan : 100));
    Frames sent;
    link.stack.announce([&](ByteView frame) { sent.push_back(join({frame})); });
    // RFC 5227 §2.3, RFC 4861 §7.2.6.
    const Frames expected{join({hex("ffffffffffff 020000000001"), tag, hex(R"(0806
          0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000201)")}),
                          join({hex("333300000001 020000000001"), tag, hex("86dd"), summed(hex(R"(
          60000000 0020 3a ff 20010db8000000000000000000000001 ff020000000000000000000000000001
          88 00 0000 20000000 20010db8000000000000000000000001 02 01 020000000001)"))})};
    EXPECT_EQ(sent, expected);
    // Heard again, as from a switch that sends it back, it is no conflict.
    for (const Bytes& frame : sent)
      EXPECT_EQ(link.verdict(frame), LinkVerdict::kNeighbour);
    EXPECT_TRUE(link.reply.empty());
    EXPECT_EQ(link.stack.conflicts(), 0u);
  }
}

}  // namespace
}  // namespace ipop::engine
