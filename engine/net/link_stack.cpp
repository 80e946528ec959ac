#include "engine/net/link_stack.hpp"

#include <algorithm>
#include <utility>

#include "engine/net/arp.hpp"
#include "engine/net/echo.hpp"
#include "engine/net/neighbour_discovery.hpp"

namespace ipop::engine {
namespace {

// ff02::1, all nodes of the link.
constexpr IpAddress kAllNodes(IpAddress::Bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                               1});

static_assert(LinkStack::kMaxReply >= kEthernetHeader + kVlanTag + kNeighbourMessageSize);

}  // namespace

LinkStack::LinkStack(LinkSettings settings) : settings_(std::move(settings)) {}

bool LinkStack::is_ours(const IpAddress& address) const noexcept {
  return std::ranges::any_of(settings_.addresses,
                             [&](const Prefix& own) { return own.address == address; });
}

const IpAddress* LinkStack::own_address(bool v4) const noexcept {
  for (const Prefix& own : settings_.addresses) {
    if (own.address.is_v4() == v4) return &own.address;
  }
  return nullptr;
}

LinkStack::Received LinkStack::receive(MutableBytes frame, CardChecks checked, Reply& reply,
                                       Instant now) noexcept {
  Received received;
  const auto ethernet = parse_ethernet(frame);
  if (!ethernet) {
    received.verdict = LinkVerdict::kMalformed;
    return received;
  }
  const EthernetHeader& head = ethernet->header;
  // With a tag taken out and another one left in, it is of a VLAN inside the VLAN.
  const bool twice = head.vlan != kNoVlan && checked.vlan != kNoVlan;
  const std::uint16_t vlan = head.vlan == kNoVlan ? checked.vlan : head.vlan;
  if (twice || vlan != settings_.vlan || (!head.to.is_group() && head.to != settings_.mac)) {
    received.verdict = LinkVerdict::kNotOurs;
    return received;
  }
  received.ip = ethernet->size;
  switch (head.type) {
    case kEtherTypeArp:
      receive_arp(frame.subspan(ethernet->size), reply, now, received);
      break;
    case kEtherTypeIpv6:
      if (is_neighbour_discovery(frame.subspan(ethernet->size))) {
        receive_neighbour_message(frame.subspan(ethernet->size), head.from, reply, now, received);
        break;
      }
      [[fallthrough]];
    case kEtherTypeIpv4:
      receive_ip(frame, head, checked, received);
      break;
    default:
      received.verdict = LinkVerdict::kOther;
  }
  return received;
}

bool LinkStack::learn(const NeighbourNews& news, Instant now) noexcept {
  if (news.says_where) return neighbours_.learn(news.address, news.mac, news.claim, now);
  neighbours_.confirm(news.address, now);
  return false;
}

void LinkStack::hear(const NeighbourNews& news, Instant now, Received& received) noexcept {
  if (is_ours(news.address)) {
    // Ours is not given up: whoever set it set it here.
    conflicts_ += news.says_where && news.mac != settings_.mac;
    return;
  }
  received.found_neighbour = learn(news, now);
  received.news = news;
}

void LinkStack::receive_arp(ByteView message, Reply& reply, Instant now,
                            Received& received) noexcept {
  received.verdict = LinkVerdict::kNeighbour;
  const auto arp = parse_arp(message);
  if (!arp) {
    received.verdict = LinkVerdict::kMalformed;
    return;
  }
  const bool to_us = is_ours(arp->target);
  if (!arp->sender.is_unspecified()) {
    const bool confirms = arp->operation == kArpReply && to_us;
    hear({.address = arp->sender,
          .mac = arp->sender_mac,
          .claim = {.confirms = confirms, .overrides = true}},
         now, received);
  }
  if (arp->operation != kArpRequest || !to_us || arp->is_announcement() || !settings_.answers) {
    return;
  }
  ByteWriter out(reply);
  write_ethernet(header(arp->sender_mac, kEtherTypeArp), out);
  write_arp({.operation = kArpReply,
             .sender_mac = settings_.mac,
             .sender = arp->target,
             .target_mac = arp->sender_mac,
             .target = arp->sender},
            out);
  received.reply_size = out.size();
}

void LinkStack::receive_neighbour_message(ByteView packet, const MacAddress& from, Reply& reply,
                                          Instant now, Received& received) noexcept {
  received.verdict = LinkVerdict::kNeighbour;
  const auto message = parse_neighbour_message(packet);
  if (!message) {
    received.verdict = LinkVerdict::kMalformed;
    return;
  }
  if (message->kind == NeighbourMessage::Kind::kAdvertisement) {
    const bool confirms = message->solicited && is_ours(message->destination);
    if (message->link_layer) {
      hear({.address = message->target,
            .mac = *message->link_layer,
            .claim = {.confirms = confirms, .overrides = message->override}},
           now, received);
    } else if (confirms) {  // asked by its address: RFC 4861 §7.2.4
      hear({.address = message->target, .mac = {}, .claim = {}, .says_where = false}, now,
           received);
    }
    return;
  }
  const bool searches_duplicate = message->source.is_unspecified();
  if (message->link_layer && !searches_duplicate) {
    hear({.address = message->source, .mac = *message->link_layer, .claim = {.overrides = true}},
         now, received);
  }
  if (!is_ours(message->target) || !settings_.answers) return;
  const MacAddress asker = message->link_layer.value_or(from);
  if (!asker.is_unicast()) {
    received.verdict = LinkVerdict::kMalformed;
    return;
  }
  ByteWriter out(reply);
  write_ethernet(header(searches_duplicate ? group_mac(kAllNodes) : asker, kEtherTypeIpv6), out);
  write_neighbour_message({.kind = NeighbourMessage::Kind::kAdvertisement,
                           .source = message->target,
                           .destination = searches_duplicate ? kAllNodes : message->source,
                           .target = message->target,
                           .link_layer = settings_.mac,
                           .solicited = !searches_duplicate,
                           .override = true},
                          out);
  received.reply_size = out.size();
}

void LinkStack::receive_ip(MutableBytes frame, const EthernetHeader& head, CardChecks checked,
                           Received& received) noexcept {
  const MutableBytes packet = frame.subspan(received.ip);
  const bool right_type = packet.empty() || (packet[0] >> 4 == 4) == (head.type == kEtherTypeIpv4);
  if (!right_type) [[unlikely]] {
    received.verdict = LinkVerdict::kMalformed;
    return;
  }
  received.datagram = parse_udp_packet(packet, checked.ip);
  const UdpPacket& datagram = received.datagram;
  // RFC 1122 §3.3.6: what is for one host does not come to a group of stations.
  const bool to_group = head.to.is_group();
  switch (datagram.verdict) {
    case UdpVerdict::kMalformed:
      received.verdict = LinkVerdict::kMalformed;
      return;
    case UdpVerdict::kFragment:
      received.verdict = LinkVerdict::kFragment;
      return;
    case UdpVerdict::kNotUdp: {
      const IpAddress to =
          packet[0] >> 4 == 4 ? IpAddress::v4_at(&packet[16]) : IpAddress::v6_at(&packet[24]);
      const bool mapped = head.type == kEtherTypeIpv6 && to.is_v4();
      if (to_group || mapped || !is_ours(to)) {
        received.verdict = LinkVerdict::kNotOurs;
      } else if (settings_.answers && turn_into_echo_reply(frame, received.ip)) {
        received.verdict = LinkVerdict::kEcho;
      } else {
        received.verdict = LinkVerdict::kOther;
      }
      return;
    }
    case UdpVerdict::kDatagram:
      break;
  }
  if (to_group || !is_ours(datagram.destination.address)) {
    received.verdict = LinkVerdict::kNotOurs;
  } else if (datagram.source.address.is_multicast() || datagram.source.address.is_unspecified() ||
             datagram.source.address.is_loopback() || datagram.source.port == 0 ||
             is_ours(datagram.source.address)) {
    received.verdict = LinkVerdict::kMalformed;  // nobody could be answered there
  } else if (datagram.has_checksum && !checked.udp && !udp_checksum_is_right(packet, datagram) &&
             !(settings_.partial_checksums && udp_checksum_is_partial(packet, datagram))) {
    received.verdict = LinkVerdict::kBadChecksum;
  } else {
    received.verdict = LinkVerdict::kDatagram;
  }
}

std::optional<IpAddress> LinkStack::next_hop(const IpAddress& to) const noexcept {
  bool has_family = false;
  for (const Prefix& own : settings_.addresses) {
    if (own.address.is_v4() != to.is_v4()) continue;
    has_family = true;
    if (own.address == to) return std::nullopt;
    if (own.contains(to)) return to;
  }
  if (!has_family || to.is_multicast() || to.is_unspecified()) return std::nullopt;
  if (!to.is_v4() && to.is_link_local()) return to;
  for (const IpAddress& gateway : settings_.gateways) {
    if (gateway.is_v4() == to.is_v4()) return gateway;
  }
  return std::nullopt;
}

std::size_t LinkStack::write_question(const IpAddress& address, const MacAddress* mac,
                                      Reply& into) const noexcept {
  const IpAddress* const own = own_address(address.is_v4());
  if (own == nullptr) return 0;
  ByteWriter out(into);
  if (address.is_v4()) {
    write_ethernet(header(mac == nullptr ? MacAddress::broadcast() : *mac, kEtherTypeArp), out);
    write_arp({.operation = kArpRequest,
               .sender_mac = settings_.mac,
               .sender = *own,
               .target_mac = {},
               .target = address},
              out);
    return out.size();
  }
  const IpAddress to = mac == nullptr ? solicited_node(address) : address;
  write_ethernet(header(mac == nullptr ? group_mac(to) : *mac, kEtherTypeIpv6), out);
  write_neighbour_message({.kind = NeighbourMessage::Kind::kSolicitation,
                           .source = *own,
                           .destination = to,
                           .target = address,
                           .link_layer = settings_.mac},
                          out);
  return out.size();
}

std::size_t LinkStack::write_announcement(const IpAddress& own, Reply& into) const noexcept {
  ByteWriter out(into);
  if (own.is_v4()) {
    write_ethernet(header(MacAddress::broadcast(), kEtherTypeArp), out);
    write_arp({.operation = kArpRequest,
               .sender_mac = settings_.mac,
               .sender = own,
               .target_mac = {},
               .target = own},
              out);
    return out.size();
  }
  write_ethernet(header(group_mac(kAllNodes), kEtherTypeIpv6), out);
  write_neighbour_message({.kind = NeighbourMessage::Kind::kAdvertisement,
                           .source = own,
                           .destination = kAllNodes,
                           .target = own,
                           .link_layer = settings_.mac,
                           .override = true},
                          out);
  return out.size();
}

}  // namespace ipop::engine
