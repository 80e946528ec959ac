#include "kni/neighbour.hpp"

#include <algorithm>

#include "engine/net/arp.hpp"
#include "engine/net/ethernet.hpp"
#include "engine/net/neighbour_discovery.hpp"
#include "kni/derived_mac.hpp"

namespace ipop::kni {
namespace {

using engine::kArpReply;
using engine::kArpRequest;
using engine::kEthernetHeader;
using engine::kEtherTypeArp;
using engine::kEtherTypeIpv6;
using engine::NeighbourMessage;
using engine::write_arp;
using engine::write_ethernet;
using engine::write_neighbour_message;

static_assert(NeighbourResponder::kMaxReply == kEthernetHeader + engine::kNeighbourMessageSize);

constexpr NeighbourAnswer kMalformed{NeighbourFrame::kMalformed};
constexpr NeighbourAnswer kIgnored{NeighbourFrame::kIgnored};

}  // namespace

NeighbourAnswer NeighbourResponder::answer(
    ByteView frame, std::span<std::uint8_t, kMaxReply> reply) const noexcept {
  if (frame.size() < kEthernetHeader) return {};
  const std::uint16_t type = load_be<std::uint16_t>(&frame[kEthernetHeader - 2]);
  if (type == kEtherTypeIpv6 && engine::is_neighbour_discovery(frame.subspan(kEthernetHeader))) {
    return answer_solicitation(frame, reply);
  }
  if (type == kEtherTypeArp) return answer_arp(frame, reply);
  return {};
}

NeighbourAnswer NeighbourResponder::answer_arp(ByteView frame, MutableBytes reply) const noexcept {
  const auto asked = engine::parse_arp(frame.subspan(kEthernetHeader));
  if (!asked) return kMalformed;
  // A sender of 0.0.0.0 probes for a duplicate, and one that asks for itself announces
  // (RFC 5227 §1.1): an answer to either would take the address away from the host.
  if (asked->operation != kArpRequest || asked->sender.is_unspecified() ||
      asked->is_announcement() || !speaks_for(asked->target)) {
    return kIgnored;
  }
  const MacAddress mac = derived_mac(asked->target);
  ByteWriter out(reply);
  write_ethernet({.to = asked->sender_mac, .from = mac, .type = kEtherTypeArp}, out);
  write_arp({.operation = kArpReply,
             .sender_mac = mac,
             .sender = asked->target,
             .target_mac = asked->sender_mac,
             .target = asked->sender},
            out);
  return out.ok() ? NeighbourAnswer{NeighbourFrame::kAnswered, out.size()} : kIgnored;
}

NeighbourAnswer NeighbourResponder::answer_solicitation(ByteView frame,
                                                        MutableBytes reply) const noexcept {
  const auto asked = engine::parse_neighbour_message(frame.subspan(kEthernetHeader));
  if (!asked) return kMalformed;
  // The unspecified source is a host that looks for a duplicate of its own new address
  // (RFC 4862 §5.4).
  if (asked->kind != NeighbourMessage::Kind::kSolicitation || asked->source.is_unspecified()) {
    return kIgnored;
  }
  const MacAddress asker = asked->link_layer.value_or(MacAddress::at(&frame[6]));
  if (!asker.is_unicast()) return kMalformed;
  if (!speaks_for(asked->target)) return kIgnored;
  const MacAddress mac = derived_mac(asked->target);
  ByteWriter out(reply);
  write_ethernet({.to = asker, .from = mac, .type = kEtherTypeIpv6}, out);
  write_neighbour_message({.kind = NeighbourMessage::Kind::kAdvertisement,
                           .source = asked->target,
                           .destination = asked->source,
                           .target = asked->target,
                           .link_layer = mac,
                           .solicited = true,
                           .override = true},
                          out);
  return out.ok() ? NeighbourAnswer{NeighbourFrame::kAnswered, out.size()} : kIgnored;
}

// IPv6 link-local addresses never leave a link, so no peer has one here. IPv4's do occur as tunnel
// subnets in clouds.
bool NeighbourResponder::speaks_for(const IpAddress& target) const noexcept {
  const bool never_routed = !target.is_v4() && target.is_link_local();
  return !never_routed && !target.is_unspecified() && !target.is_multicast() &&
         !target.is_loopback() && std::ranges::find(own_, target) == own_.end();
}

}  // namespace ipop::kni
