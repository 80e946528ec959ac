// Any bytes as a frame from a link, to a stack that asks for a few neighbours: whatever it makes of
// them lies inside the frame, is answered to one station, and can be read back.
#include "engine/net/link_stack.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "engine/net/arp.hpp"
#include "engine/net/neighbour_discovery.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;
using Bytes = std::vector<std::uint8_t>;

constexpr MacAddress kOurs{{0x02, 0, 0, 0, 0, 0x01}};
constexpr MacAddress kAllNodes{{0x33, 0x33, 0, 0, 0, 0x01}};
constexpr IpAddress kOur6(IpAddress::Bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
constexpr IpAddress kTheir6(IpAddress::Bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
constexpr Instant kNow{std::chrono::hours(1)};
const std::array kAsked{IpAddress::v4(0x0a000002), IpAddress::v4(0x0a000003), kTheir6};

void require(bool condition) {
  if (!condition) std::abort();
}

// Modulo 2^16 - 1, so that both zeroes of RFC 1071 are one.
std::uint32_t add_words(std::uint32_t sum, ByteView bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum = (sum + (i % 2 == 0 ? bytes[i] * 256u : bytes[i])) % 0xffff;
  return sum;
}

// Of the ICMP or ICMPv6 message of a packet whose lengths are right.
std::uint32_t icmp_sum(ByteView packet) {
  if (packet[0] >> 4 == 4) {
    const std::size_t header = (packet[0] & 0x0fu) * 4;
    return add_words(0, packet.subspan(header, load_be<std::uint16_t>(&packet[2]) - header));
  }
  const ByteView message = packet.subspan(40, load_be<std::uint16_t>(&packet[4]));
  const auto length = static_cast<std::uint32_t>(message.size());
  return add_words(add_words(length + 58, packet.subspan(8, 32)), message);
}

// A checksum is hardly ever right by chance: with those that guard the way to the answers.
Bytes repaired(Bytes frame) {
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet) return frame;
  const MutableBytes packet = MutableBytes(frame).subspan(ethernet->size);
  const bool v4 = packet.size() >= 28 && packet[0] == 0x45 && packet[9] == 1;
  const bool v6 = packet.size() >= 48 && packet[0] >> 4 == 6 && packet[6] == 58;
  if (!v4 && !v6) return frame;
  const std::size_t header = v4 ? 20 : 40;
  const std::size_t total = load_be<std::uint16_t>(&packet[v4 ? 2 : 4]) + (v4 ? 0 : header);
  if (total > packet.size() || total < header + 8) return frame;
  store_be<std::uint16_t>(&packet[header + 2], 0);
  store_be(&packet[header + 2], static_cast<std::uint16_t>(~icmp_sum(packet)));
  if (v4) {
    store_be<std::uint16_t>(&packet[10], 0);
    store_be(&packet[10], static_cast<std::uint16_t>(~add_words(0, packet.first(header))));
  }
  return frame;
}

void check_datagram(const LinkStack::Received& received, ByteView frame, std::uint16_t vlan) {
  const UdpPacket& datagram = received.datagram;
  require(received.ip >= kEthernetHeader);
  require(received.ip + datagram.start + datagram.length <= frame.size());
  const ByteView payload = frame.subspan(received.ip + datagram.start, datagram.length);
  require(!datagram.source.address.is_multicast() && !datagram.source.address.is_unspecified());
  require(datagram.source.address.is_v4() == datagram.destination.address.is_v4());

  // The same back to where it came from.
  const UdpHeaders headers(kOurs, vlan, datagram.destination.address);
  Bytes answer(headers.size());
  answer.insert(answer.end(), payload.begin(), payload.end());
  headers.write_before(&answer[headers.size()], datagram.length, MacAddress::at(&frame[6]),
                       datagram.source, datagram.destination.port, UdpHeaders::Checksum::kWhole,
                       true);
  const auto ethernet = parse_ethernet(answer);
  require(ethernet && ethernet->size == headers.ethernet_size() && ethernet->header.vlan == vlan);
  const ByteView packet = ByteView(answer).subspan(ethernet->size);
  const UdpPacket parsed = parse_udp_packet(packet, false);
  require(parsed.verdict == UdpVerdict::kDatagram && parsed.has_checksum);
  require(parsed.source == datagram.destination && parsed.destination == datagram.source);
  require(ethernet->size + parsed.start == headers.size() && parsed.length == datagram.length);
  require(udp_checksum_is_right(packet, parsed));
}

void check_echo(const LinkStack::Received& received, ByteView asked, ByteView answer) {
  require(answer.size() == asked.size());
  require(MacAddress::at(&answer[0]) == MacAddress::at(&asked[6]));
  require(MacAddress::at(&answer[0]).is_unicast() && MacAddress::at(&answer[6]) == kOurs);
  const ByteView packet = answer.subspan(received.ip);
  const ByteView question = asked.subspan(received.ip);
  const bool v4 = packet[0] >> 4 == 4;
  const auto address = [&](ByteView of, bool source) {
    return v4 ? IpAddress::v4_at(&of[source ? 12 : 16]) : IpAddress::v6_at(&of[source ? 8 : 24]);
  };
  require(address(packet, true) == address(question, false));
  require(address(packet, false) == address(question, true));
  require(!address(packet, false).is_multicast() && !address(packet, false).is_unspecified());
  require(packet[v4 ? 20 : 40] == (v4 ? 0 : 129));
  require(!v4 || add_words(0, packet.first(20)) == 0);
  require(icmp_sum(packet) == 0);
}

void check_reply(ByteView reply, std::uint16_t vlan) {
  const auto ethernet = parse_ethernet(reply);
  require(ethernet && ethernet->header.from == kOurs && ethernet->header.vlan == vlan);
  const MacAddress& to = ethernet->header.to;
  const ByteView message = reply.subspan(ethernet->size);
  if (ethernet->header.type == kEtherTypeArp) {
    const auto arp = parse_arp(message);
    require(to.is_unicast() && arp && arp->operation == kArpReply && arp->target_mac == to);
    return;
  }
  const auto said = parse_neighbour_message(message);
  require(said && said->kind == NeighbourMessage::Kind::kAdvertisement &&
          said->link_layer == kOurs);
  require(said->solicited ? to.is_unicast() : to == kAllNodes);
}

void receive(const Bytes& asked, LinkSettings settings, CardChecks checked) {
  LinkStack stack(std::move(settings));
  const std::uint16_t vlan = stack.settings().vlan;
  for (const IpAddress& address : kAsked)
    require(stack.find(address, kNow) == nullptr);

  Bytes frame = asked;
  LinkStack::Reply reply;
  reply.fill(0xee);
  const auto received = stack.receive(frame, checked, reply, kNow);
  require(received.reply_size <= reply.size());
  for (std::size_t i = received.reply_size; i < reply.size(); ++i)
    require(reply[i] == 0xee);
  if (received.verdict == LinkVerdict::kEcho) {
    require(stack.settings().answers);
    check_echo(received, asked, frame);
  } else {
    require(frame == asked);
  }
  if (received.verdict == LinkVerdict::kDatagram) check_datagram(received, frame, vlan);
  if (received.reply_size != 0) {
    require(received.verdict == LinkVerdict::kNeighbour && stack.settings().answers);
    check_reply(ByteView(reply).first(received.reply_size), vlan);
  }

  // Nobody is known but by what it said, and all others are still asked for.
  std::size_t known = 0;
  for (const IpAddress& address : kAsked) {
    const MacAddress* const mac = stack.find(address, kNow);
    require(mac == nullptr || mac->is_unicast());
    known += mac != nullptr;
  }
  require(known == (received.found_neighbour ? 1 : 0));
  require(!received.found_neighbour || received.verdict == LinkVerdict::kNeighbour);
  std::size_t questions = 0;
  stack.tick(
      kNow,
      [&](ByteView question) {
        require(parse_ethernet(question)->header.from == kOurs);
        ++questions;
      },
      [](const IpAddress&) { std::abort(); });
  require(questions <= kAsked.size() && questions + known >= kAsked.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 65535) return 0;
  const Bytes raw(data, data + size);
  const Bytes whole = repaired(raw);
  const LinkSettings untagged{.mac = kOurs,
                              .addresses = {{IpAddress::v4(0x0a000001), 24}, {kOur6, 64}},
                              .gateways = {IpAddress::v4(0x0a0000fe)}};
  LinkSettings tagged = untagged;
  tagged.vlan = 1;
  LinkSettings silent = untagged;
  silent.answers = false;
  silent.partial_checksums = true;
  receive(raw, untagged, {});
  receive(whole, untagged, {});
  receive(whole, tagged, {.ip = true, .udp = true, .vlan = 1});
  receive(whole, silent, {.ip = true});
  return 0;
}
