#include "engine/net/link_stack.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "link.hpp"

namespace ipop::engine {
namespace {

using testing::arp;
using testing::both_families;
using testing::Bytes;
using testing::echo_request;
using testing::framed;
using testing::hex;
using testing::ip;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::kThirdMac;
using testing::Link;
using testing::on_vlan;
using testing::pseudo_header_sum;
using testing::silent;
using testing::slow_message_checksum;
using testing::summed;
using testing::udp;
using testing::with;

const Bytes kHello = hex("68656c6c6f");

Bytes frame_of(const Bytes& packet, const Bytes& tag = {}, const MacAddress& to = kOurMac) {
  return framed(to, kTheirMac, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet, tag);
}

Bytes datagram4(Ipv4 packet = {}) {
  packet.payload = udp(4545, 4546, kHello);
  return summed(packet.bytes());
}

Bytes datagram6(Ipv6 packet = {}) {
  packet.payload = udp(4545, 4546, kHello);
  return summed(packet.bytes());
}

Bytes ping4(Ipv4 packet = {}) {
  packet.protocol = 1;
  packet.payload = echo_request(8, kHello);
  return summed(packet.bytes());
}

Bytes ping6(Ipv6 packet = {}) {
  packet.next = 58;
  packet.payload = echo_request(128, kHello);
  return summed(packet.bytes());
}

TEST(LinkStack, FindsTheDatagramInAFrame) {
  struct Case {
    const char* description;
    Bytes frame;
    std::uint16_t vlan;
    std::size_t ip;
  };
  const Case cases[] = {
      {"IPv4", frame_of(datagram4()), kNoVlan, 14},
      {"IPv6", frame_of(datagram6()), kNoVlan, 14},
      {"IPv4, padded", join({frame_of(datagram4()), Bytes(13, 0xee)}), kNoVlan, 14},
      {"IPv4 with options", frame_of(datagram4({.options = Bytes(8, 1)})), kNoVlan, 14},
      {"IPv4 with a priority tag", frame_of(datagram4(), hex("8100 e000")), kNoVlan, 18},
      {"IPv4 on a VLAN", frame_of(datagram4(), hex("8100 0064")), 100, 18},
      {"IPv6 on a VLAN, with priority", frame_of(datagram6(), hex("8100 6064")), 100, 18},
  };
  for (const Case& c : cases) {
    for (const bool answers : {true, false}) {
      LinkSettings settings = on_vlan(c.vlan);
      settings.answers = answers;
      Link link(settings);
      const auto received = link.receive(c.frame);
      ASSERT_EQ(received.verdict, LinkVerdict::kDatagram) << c.description;
      EXPECT_EQ(received.ip, c.ip) << c.description;
      const UdpPacket& datagram = received.datagram;
      EXPECT_EQ(datagram.source.port, 4545) << c.description;
      EXPECT_EQ(datagram.destination.port, 4546) << c.description;
      EXPECT_EQ(join({ByteView(c.frame).subspan(c.ip + datagram.start, datagram.length)}), kHello)
          << c.description;
      EXPECT_FALSE(link.stack.is_asking()) << c.description;
    }
  }
}

TEST(LinkStack, JudgesEveryKindOfFrame) {
  const Bytes four = datagram4();
  const Bytes six = datagram6();
  const auto port0 = [](bool v4) {
    const Bytes payload = udp(0, 4546, kHello);
    return frame_of(
        summed(v4 ? Ipv4{.payload = payload}.bytes() : Ipv6{.payload = payload}.bytes()));
  };
  struct Case {
    const char* description;
    Bytes frame;
    LinkVerdict expected;
  };
  const Case cases[] = {
      {"nothing", {}, LinkVerdict::kMalformed},
      {"for another station", frame_of(four, {}, kThirdMac), LinkVerdict::kNotOurs},
      {"for another station, IPv6", frame_of(six, {}, kThirdMac), LinkVerdict::kNotOurs},
      {"ARP for another station",
       framed(kThirdMac, kTheirMac, 0x0806, arp(1, kTheirMac, "192.0.2.2", {}, "192.0.2.1")),
       LinkVerdict::kNotOurs},
      {"for a VLAN that is not ours", frame_of(four, hex("8100 0064")), LinkVerdict::kNotOurs},
      {"two tags", frame_of(four, hex("8100 0000 8100 0000")), LinkVerdict::kOther},
      {"a provider's tag", frame_of(four, hex("88a8 0064")), LinkVerdict::kOther},
      {"spanning tree", framed({{0x01, 0x80, 0xc2}}, kTheirMac, 0x0026, hex("4242 03")),
       LinkVerdict::kOther},
      {"LLDP", framed({{0x01, 0x80, 0xc2, 0, 0, 0x0e}}, kTheirMac, 0x88cc, hex("0207")),
       LinkVerdict::kOther},
      {"for another address", frame_of(datagram4({.destination = "192.0.2.3"})),
       LinkVerdict::kNotOurs},
      {"for another address, IPv6", frame_of(datagram6({.destination = "2001:db8::3"})),
       LinkVerdict::kNotOurs},
      {"for all",
       frame_of(datagram4({.destination = "255.255.255.255"}), {}, MacAddress::broadcast()),
       LinkVerdict::kNotOurs},
      {"for all of our network", frame_of(datagram4({.destination = "192.0.2.255"})),
       LinkVerdict::kNotOurs},
      {"for a group", frame_of(datagram6({.destination = "ff02::fb"}), {}, {{0x33, 0x33}}),
       LinkVerdict::kNotOurs},
      {"from a group", frame_of(datagram4({.source = "224.0.0.1"})), LinkVerdict::kMalformed},
      {"from all", frame_of(datagram4({.source = "255.255.255.255"})), LinkVerdict::kMalformed},
      {"from nobody", frame_of(datagram4({.source = "0.0.0.0"})), LinkVerdict::kMalformed},
      {"from a group, IPv6", frame_of(datagram6({.source = "ff02::1"})), LinkVerdict::kMalformed},
      {"from nobody, IPv6", frame_of(datagram6({.source = "::"})), LinkVerdict::kMalformed},
      {"from an IPv4-mapped address", frame_of(datagram6({.source = "::ffff:192.0.2.2"})),
       LinkVerdict::kMalformed},
      {"to an IPv4-mapped address", frame_of(datagram6({.destination = "::ffff:192.0.2.1"})),
       LinkVerdict::kMalformed},
      {"from port 0", port0(true), LinkVerdict::kMalformed},
      {"from port 0, IPv6", port0(false), LinkVerdict::kMalformed},
      {"fragment", frame_of(datagram4({.fragment = 0x2000})), LinkVerdict::kFragment},
      {"fragment, IPv6", frame_of(datagram6({.next = 44})), LinkVerdict::kFragment},
      {"fragment of a ping", frame_of(ping4({.fragment = 0x2000})), LinkVerdict::kFragment},
      {"wrong header checksum", frame_of(with(four, 8, 1)), LinkVerdict::kMalformed},
      {"wrong checksum", frame_of(with(four, four.size() - 1, 0)), LinkVerdict::kBadChecksum},
      {"wrong checksum, IPv6", frame_of(with(six, six.size() - 1, 0)), LinkVerdict::kBadChecksum},
      {"no checksum", frame_of(Ipv4{.payload = udp(1, 2, kHello)}.bytes()), LinkVerdict::kDatagram},
      {"no checksum, IPv6", frame_of(Ipv6{.payload = udp(1, 2, kHello)}.bytes()),
       LinkVerdict::kMalformed},
      {"TCP", frame_of(Ipv4{.protocol = 6, .payload = Bytes(20)}.bytes()), LinkVerdict::kOther},
      {"TCP, IPv6", frame_of(Ipv6{.next = 6, .payload = Bytes(20)}.bytes()), LinkVerdict::kOther},
      {"TCP for another",
       frame_of(Ipv4{.destination = "192.0.2.3", .protocol = 6, .payload = Bytes(20)}.bytes()),
       LinkVerdict::kNotOurs},
      {"TCP for another, IPv6",
       frame_of(Ipv6{.destination = "2001:db8::3", .next = 6, .payload = Bytes(20)}.bytes()),
       LinkVerdict::kNotOurs},
      {"router advertisement",
       frame_of(
           summed(Ipv6{.destination = "ff02::1", .next = 58, .payload = {134, 0, 0, 0}}.bytes()),
           {}, {{0x33, 0x33, 0, 0, 0, 1}}),
       LinkVerdict::kNotOurs},
      {"listener query",
       frame_of(summed(Ipv6{.destination = "ff02::1", .next = 0, .payload = Bytes(8)}.bytes()), {},
                {{0x33, 0x33, 0, 0, 0, 1}}),
       LinkVerdict::kNotOurs},
  };
  for (const Case& c : cases) {
    Link link;
    EXPECT_EQ(link.verdict(c.frame), c.expected) << c.description;
  }
}

TEST(LinkStack, TakesTheFramesOfItsVlanAlone) {
  struct Case {
    const char* description;
    std::uint16_t vlan;
    const char* tag;
    LinkVerdict expected;
  };
  const Case cases[] = {
      {"untagged, as it should be", kNoVlan, "", LinkVerdict::kDatagram},
      {"priority tag, no VLAN", kNoVlan, "8100 0000", LinkVerdict::kDatagram},
      {"tagged, no VLAN", kNoVlan, "8100 0001", LinkVerdict::kNotOurs},
      {"its VLAN", 100, "8100 0064", LinkVerdict::kDatagram},
      {"another VLAN", 100, "8100 0065", LinkVerdict::kNotOurs},
      {"another VLAN, its low bits", 100, "8100 0164", LinkVerdict::kNotOurs},
      {"untagged, but a VLAN", 100, "", LinkVerdict::kNotOurs},
      {"priority tag, but a VLAN", 100, "8100 e000", LinkVerdict::kNotOurs},
  };
  for (const Case& c : cases) {
    for (const Bytes& packet : {datagram4(), datagram6()}) {
      Link link(on_vlan(c.vlan));
      EXPECT_EQ(link.verdict(frame_of(packet, hex(c.tag))), c.expected) << c.description;
    }
    Link link(on_vlan(c.vlan));
    const Bytes question = framed(MacAddress::broadcast(), kTheirMac, 0x0806,
                                  arp(1, kTheirMac, "192.0.2.2", {}, "192.0.2.1"), hex(c.tag));
    EXPECT_EQ(link.verdict(question) == LinkVerdict::kNeighbour,
              c.expected == LinkVerdict::kDatagram)
        << c.description;
    EXPECT_EQ(link.reply.empty(), c.expected != LinkVerdict::kDatagram) << c.description;
  }
}

TEST(LinkStack, LeavesOutWhatTheCardChecked) {
  const Bytes four = datagram4();
  const Bytes bad_header = frame_of(with(four, 10, static_cast<std::uint8_t>(four[10] ^ 1)));
  const Bytes bad_data = frame_of(with(four, four.size() - 1, 0));
  const Bytes six = datagram6();
  const Bytes bad_six = frame_of(with(six, six.size() - 1, 0));
  struct Case {
    CardChecks checked;
    LinkVerdict header;
    LinkVerdict data;
  };
  const Case cases[] = {
      {{}, LinkVerdict::kMalformed, LinkVerdict::kBadChecksum},
      {{.ip = true}, LinkVerdict::kDatagram, LinkVerdict::kBadChecksum},
      {{.udp = true}, LinkVerdict::kMalformed, LinkVerdict::kDatagram},
      {{.ip = true, .udp = true}, LinkVerdict::kDatagram, LinkVerdict::kDatagram},
  };
  Link link;
  for (const Case& c : cases) {
    EXPECT_EQ(link.verdict(bad_header, c.checked), c.header);
    EXPECT_EQ(link.verdict(bad_data, c.checked), c.data);
    EXPECT_EQ(link.verdict(bad_six, c.checked), c.data);
    EXPECT_EQ(link.verdict(frame_of(four), c.checked), LinkVerdict::kDatagram);
    // Whatever a card says, addresses and lengths are looked at.
    EXPECT_EQ(link.verdict(frame_of(datagram4({.destination = "192.0.2.3"})), c.checked),
              LinkVerdict::kNotOurs);
    EXPECT_EQ(link.verdict(frame_of(with(four, 25, 0xff)), c.checked), LinkVerdict::kMalformed);
  }
}

TEST(LinkStack, TakesATagThatTheCardTookOutAsOneInTheFrame) {
  struct Case {
    const char* description;
    std::uint16_t vlan;
    std::uint16_t taken_out;
    const char* tag;
    LinkVerdict expected;
  };
  const Case cases[] = {
      {"its VLAN", 100, 100, "", LinkVerdict::kDatagram},
      {"another VLAN", 100, 101, "", LinkVerdict::kNotOurs},
      {"a priority tag, but a VLAN", 100, kNoVlan, "", LinkVerdict::kNotOurs},
      {"its VLAN, the tag left in", 100, kNoVlan, "8100 0064", LinkVerdict::kDatagram},
      {"a VLAN, but none is ours", kNoVlan, 100, "", LinkVerdict::kNotOurs},
      {"a priority tag, no VLAN", kNoVlan, kNoVlan, "", LinkVerdict::kDatagram},
  };
  for (const Case& c : cases) {
    Link link(on_vlan(c.vlan));
    const auto received = link.receive(frame_of(datagram4(), hex(c.tag)), {.vlan = c.taken_out});
    EXPECT_EQ(received.verdict, c.expected) << c.description;
    if (c.expected == LinkVerdict::kNotOurs) continue;
    EXPECT_EQ(received.ip, *c.tag == 0 ? 14u : 18u) << c.description;
  }
  Link link(on_vlan(100));
  link.receive(framed(MacAddress::broadcast(), kTheirMac, 0x0806,
                      arp(1, kTheirMac, "192.0.2.2", {}, "192.0.2.1")),
               {.vlan = 100});
  EXPECT_EQ(join({ByteView(link.reply).subspan(12, 6)}), hex("8100 0064 0806"));
}

TEST(LinkStack, TakesUnfinishedChecksumsWhereNothingButMemoryLiesBetween) {
  for (const bool v4 : {true, false}) {
    const Bytes whole = v4 ? datagram4() : datagram6();
    Bytes partial = whole;
    const std::size_t at = v4 ? 26 : 46;
    store_be(&partial[at], pseudo_header_sum(partial));
    LinkSettings settings = both_families();
    Link other(settings);
    EXPECT_EQ(other.verdict(frame_of(partial)), LinkVerdict::kBadChecksum);
    EXPECT_EQ(other.verdict(frame_of(partial), {.udp = true}), LinkVerdict::kDatagram);
    settings.partial_checksums = true;
    Link link(settings);
    EXPECT_EQ(link.verdict(frame_of(partial)), LinkVerdict::kDatagram);
    EXPECT_EQ(link.verdict(frame_of(whole)), LinkVerdict::kDatagram);
    const auto changed = static_cast<std::uint8_t>(partial[at] ^ 1);
    EXPECT_EQ(link.verdict(frame_of(with(partial, at, changed))), LinkVerdict::kBadChecksum);
    EXPECT_EQ(link.verdict(frame_of(with(whole, at, changed))), LinkVerdict::kBadChecksum);
  }
}

TEST(LinkStack, AnswersPings) {
  for (const Bytes& packet : {ping4(), ping6()}) {
    for (const Bytes& tag : {Bytes{}, hex("8100 0064")}) {
      Link link(on_vlan(tag.empty() ? kNoVlan : 100));
      const auto received = link.receive(frame_of(packet, tag));
      EXPECT_EQ(received.verdict, LinkVerdict::kEcho);
      const bool v4 = packet[0] >> 4 == 4;
      EXPECT_EQ(join({ByteView(link.frame).first(12)}), join({kTheirMac.bytes, kOurMac.bytes}));
      const ByteView answer = ByteView(link.frame).subspan(received.ip);
      EXPECT_EQ(v4 ? IpAddress::v4_at(&answer[12]) : IpAddress::v6_at(&answer[8]),
                ip(v4 ? "192.0.2.1" : "2001:db8::1"));
      EXPECT_EQ(v4 ? IpAddress::v4_at(&answer[16]) : IpAddress::v6_at(&answer[24]),
                ip(v4 ? "192.0.2.2" : "2001:db8::2"));
      EXPECT_EQ(answer[v4 ? 20 : 40], v4 ? 0 : 129);
      EXPECT_EQ(slow_message_checksum(answer), 0);
    }
  }
}

TEST(LinkStack, AnswersNoPingThatIsNotItsOwn) {
  Link link;
  EXPECT_EQ(link.verdict(frame_of(ping4({.destination = "192.0.2.3"}))), LinkVerdict::kNotOurs);
  EXPECT_EQ(link.verdict(frame_of(ping4({.destination = "192.0.2.255"}))), LinkVerdict::kNotOurs);
  EXPECT_EQ(link.verdict(frame_of(ping6({.destination = "ff02::1"}))), LinkVerdict::kNotOurs);
  EXPECT_EQ(link.verdict(frame_of(ping4(), {}, kThirdMac)), LinkVerdict::kNotOurs);
  EXPECT_EQ(link.verdict(frame_of(with(ping4(), 30, 0))), LinkVerdict::kOther);
  EXPECT_EQ(link.verdict(frame_of(with(ping6(), 50, 0))), LinkVerdict::kOther);
  EXPECT_EQ(link.verdict(frame_of(ping4({.source = "224.0.0.1"}))), LinkVerdict::kOther);
  EXPECT_EQ(link.verdict(frame_of(ping6({.source = "::"}))), LinkVerdict::kOther);
  Link listener(silent());
  EXPECT_EQ(listener.verdict(frame_of(ping4())), LinkVerdict::kOther);
  EXPECT_EQ(listener.verdict(frame_of(ping6())), LinkVerdict::kOther);
}

TEST(LinkStack, TakesNothingCutOffAnywhere) {
  for (const Bytes& whole : {frame_of(datagram4()), frame_of(datagram6(), hex("8100 0000")),
                             frame_of(ping4()), frame_of(ping6())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      Link link;
      const Bytes frame(whole.begin(), whole.begin() + size);
      EXPECT_EQ(link.verdict(frame), LinkVerdict::kMalformed) << size;
    }
  }
}

TEST(LinkStack, KnowsTheNextHop) {
  LinkSettings four = both_families();
  four.addresses.pop_back();
  LinkSettings no_gateway = both_families();
  no_gateway.gateways.clear();
  LinkSettings host = both_families();
  host.addresses[0].length = 32;
  host.addresses[1].length = 128;
  struct Case {
    const char* description;
    LinkSettings settings;
    const char* to;
    const char* expected;  // or nullptr: there is no route
  };
  const Case cases[] = {
      {"on the link", both_families(), "192.0.2.200", "192.0.2.200"},
      {"on the link, IPv6", both_families(), "2001:db8::abcd", "2001:db8::abcd"},
      {"the gateway itself", both_families(), "192.0.2.254", "192.0.2.254"},
      {"elsewhere", both_families(), "198.51.100.7", "192.0.2.254"},
      {"just behind our network", both_families(), "192.0.3.0", "192.0.2.254"},
      {"elsewhere, IPv6", both_families(), "2001:db8:0:1::7", "fe80::fe"},
      {"link-local", both_families(), "fe80::7", "fe80::7"},
      {"the end of link-local", both_families(), "febf::7", "febf::7"},
      {"behind link-local", both_families(), "fec0::7", "fe80::fe"},
      {"IPv6 from IPv4 alone", four, "2001:db8::2", nullptr},
      {"link-local from IPv4 alone", four, "fe80::7", nullptr},
      {"IPv4 from IPv4 alone", four, "198.51.100.7", "192.0.2.254"},
      {"on the link without a gateway", no_gateway, "192.0.2.2", "192.0.2.2"},
      {"link-local without a gateway", no_gateway, "fe80::7", "fe80::7"},
      {"elsewhere without a gateway", no_gateway, "198.51.100.7", nullptr},
      {"elsewhere without a gateway, IPv6", no_gateway, "2001:db8:1::7", nullptr},
      {"nothing on the link but the gateway", host, "192.0.2.2", "192.0.2.254"},
      {"nothing on the link but the gateway, IPv6", host, "2001:db8::2", "fe80::fe"},
  };
  for (const Case& c : cases) {
    const LinkStack stack(c.settings);
    const auto hop = stack.next_hop(ip(c.to));
    EXPECT_EQ(hop, c.expected ? std::optional(ip(c.expected)) : std::nullopt) << c.description;
  }
}

TEST(LinkStack, OfOneFamilyHearsNothingOfTheOther) {
  LinkSettings settings = both_families();
  settings.addresses.pop_back();
  Link four(settings);
  EXPECT_EQ(four.verdict(frame_of(datagram4())), LinkVerdict::kDatagram);
  EXPECT_EQ(four.verdict(frame_of(datagram6())), LinkVerdict::kNotOurs);
  EXPECT_EQ(four.verdict(frame_of(ping6())), LinkVerdict::kNotOurs);
  four.receive(frame_of(testing::NeighbourPacket{}.bytes()));
  EXPECT_TRUE(four.reply.empty());
}

}  // namespace
}  // namespace ipop::engine
