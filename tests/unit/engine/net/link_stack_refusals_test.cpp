// What a link stack does not believe, answer or send, whoever asks for it.
#include <gtest/gtest.h>

#include "link.hpp"

namespace ipop::engine {
namespace {

using namespace testing;

TEST(LinkStackRefusals, AnswersNoPingSentToAGroupOfStations) {
  const Bytes ping =
      summed(Ipv4{.protocol = 1, .payload = echo_request(8, hex("70696e67"))}.bytes());
  for (const MacAddress to : {MacAddress::broadcast(), MacAddress{{0x33, 0x33, 0, 0, 0, 1}}}) {
    Link link;
    EXPECT_NE(link.verdict(framed(to, kTheirMac, 0x0800, ping)), LinkVerdict::kEcho);
    EXPECT_EQ(link.frame[6] & 1, 0) << "the sender of the answer is a group";
  }
}

TEST(LinkStackRefusals, LearnsNoIpv4NeighbourByNeighbourDiscovery) {
  Link link;
  EXPECT_TRUE(link.find("192.0.2.2").is_zero());
  const Bytes packet = NeighbourPacket{.type = 136,
                                       .destination = "2001:db8::1",
                                       .target = "::ffff:192.0.2.2",
                                       .flags = 0x60,
                                       .options = hex("0201 020000000003")}
                           .bytes();
  EXPECT_FALSE(link.receive(framed(kOurMac, kThirdMac, 0x86dd, packet)).found_neighbour);
}

TEST(LinkStackRefusals, AnswersNoSolicitationForAnIpv4Address) {
  Link link;
  const Bytes packet = NeighbourPacket{.target = "::ffff:192.0.2.1"}.bytes();
  link.receive(framed(kOurMac, kTheirMac, 0x86dd, packet));
  EXPECT_TRUE(link.reply.empty());
}

TEST(LinkStackRefusals, AnswersNoPingOverIpv6ToAnIpv4MappedAddress) {
  const Bytes packet = summed(Ipv6{
      .destination = "::ffff:192.0.2.1", .next = 58, .payload = echo_request(128, hex("70696e67"))}
                                  .bytes());
  Link link;
  EXPECT_NE(link.verdict(framed(kOurMac, kTheirMac, 0x86dd, packet)), LinkVerdict::kEcho);
}

TEST(LinkStackRefusals, TakesNoPacketOfAnotherVersionThanItsFrameSays) {
  Link link;
  const Bytes four = summed(Ipv4{.payload = udp(1, 2, {})}.bytes());
  const Bytes six = summed(Ipv6{.payload = udp(1, 2, {})}.bytes());
  EXPECT_EQ(link.verdict(framed(kOurMac, kTheirMac, 0x86dd, four)), LinkVerdict::kMalformed);
  EXPECT_EQ(link.verdict(framed(kOurMac, kTheirMac, 0x0800, six)), LinkVerdict::kMalformed);
}

TEST(LinkStackRefusals, AnAdvertisementWithoutOverrideMovesNobody) {
  Link link;
  static_cast<void>(link.find("2001:db8::2"));
  NeighbourPacket packet{.type = 136,
                         .destination = "2001:db8::1",
                         .target = "2001:db8::2",
                         .flags = 0x60,
                         .options = hex("0201 020000000002")};
  link.receive(framed(kOurMac, kTheirMac, 0x86dd, packet.bytes()));
  packet.flags = 0x40;
  packet.options = hex("0201 020000000003");
  link.receive(framed(kOurMac, kThirdMac, 0x86dd, packet.bytes()));
  EXPECT_EQ(link.find("2001:db8::2"), kTheirMac);
}

TEST(LinkStackRefusals, AnAdvertisementWithoutAnOptionMovesNobody) {
  Link link;
  static_cast<void>(link.find("2001:db8::2"));
  NeighbourPacket packet{.type = 136,
                         .destination = "2001:db8::1",
                         .target = "2001:db8::2",
                         .flags = 0x60,
                         .options = hex("0201 020000000002")};
  link.receive(framed(kOurMac, kTheirMac, 0x86dd, packet.bytes()));
  packet.options = {};
  link.receive(framed(kOurMac, kThirdMac, 0x86dd, packet.bytes()));
  EXPECT_EQ(link.find("2001:db8::2"), kTheirMac);
}

TEST(LinkStackRefusals, OnlyAnAnswerToUsConfirms) {
  Link link;
  static_cast<void>(link.find("2001:db8::2"));
  const NeighbourPacket packet{.type = 136,
                               .destination = "2001:db8::99",
                               .target = "2001:db8::2",
                               .flags = 0x60,
                               .options = hex("0201 020000000002")};
  link.receive(framed(MacAddress::broadcast(), kTheirMac, 0x86dd, packet.bytes()));
  EXPECT_TRUE(link.stack.is_asking());
}

TEST(LinkStackRefusals, KnowsNoNextHopToItself) {
  const LinkStack stack(both_families());
  EXPECT_EQ(stack.next_hop(ip("192.0.2.1")), std::nullopt);
  EXPECT_EQ(stack.next_hop(ip("2001:db8::1")), std::nullopt);
}

TEST(LinkStackRefusals, KnowsNoNextHopToGroups) {
  const LinkStack stack(both_families());
  for (const char* to : {"224.0.0.1", "255.255.255.255", "ff02::1", "0.0.0.0", "::"})
    EXPECT_EQ(stack.next_hop(ip(to)), std::nullopt) << to;
}

TEST(LinkStackRefusals, SendsNoEmptyQuestion) {
  LinkSettings settings = both_families();
  settings.addresses.pop_back();
  Link link(settings);
  static_cast<void>(link.find("2001:db8::2"));
  for (const Bytes& question : link.questions())
    EXPECT_FALSE(question.empty());
}

TEST(LinkStackRefusals, TakesNothingFromItsOwnAddress) {
  Link link;
  EXPECT_EQ(
      link.verdict(framed(kOurMac, kTheirMac, 0x0800,
                          summed(Ipv4{.source = "192.0.2.1", .payload = udp(1, 2, {})}.bytes()))),
      LinkVerdict::kMalformed);
  EXPECT_EQ(
      link.verdict(framed(kOurMac, kTheirMac, 0x0800,
                          summed(Ipv4{.source = "127.0.0.1", .payload = udp(1, 2, {})}.bytes()))),
      LinkVerdict::kMalformed);
}

TEST(LinkStackRefusals, TakesNoFrameOfAnotherVlanByItsInnerTag) {
  Link link(on_vlan(5));
  const Bytes packet = summed(Ipv4{.payload = udp(1, 2, {})}.bytes());
  EXPECT_NE(
      link.verdict(framed(kOurMac, kTheirMac, 0x0800, packet, hex("8100 0005")), {.vlan = 100}),
      LinkVerdict::kDatagram);
}

}  // namespace
}  // namespace ipop::engine
