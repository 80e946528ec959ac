#include "kni/neighbour.hpp"

#include <algorithm>
#include <utility>

#include "kni/checksum.hpp"
#include "kni/mac_address.hpp"

namespace ipop::kni {
namespace {

constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kMacSize = 6;
constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint16_t kTypeArp = 0x0806;
constexpr std::uint16_t kTypeIpv6 = 0x86dd;

constexpr std::uint16_t kArpEthernet = 1;
constexpr std::uint16_t kArpRequest = 1;
constexpr std::uint16_t kArpReply = 2;

constexpr std::size_t kIpv6Size = 40;
constexpr std::uint8_t kNextIcmpv6 = 58;
constexpr std::uint8_t kHopLimit = 255;
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::size_t kSolicitationSize = 24;
constexpr std::uint8_t kSourceLinkLayer = 1;
constexpr std::uint8_t kTargetLinkLayer = 2;
constexpr std::uint32_t kSolicitedAndOverride = 0x60000000;

constexpr NeighbourAnswer kMalformed{NeighbourFrame::kMalformed};
constexpr NeighbourAnswer kIgnored{NeighbourFrame::kIgnored};

void write_ethernet(ByteWriter& out, const MacAddress& to, const MacAddress& from,
                    std::uint16_t type) noexcept {
  out.bytes(to.bytes);
  out.bytes(from.bytes);
  out.be(type);
}

// Only what the fast path must know: is this IPv6 frame about neighbours?
bool is_neighbour_discovery(ByteView frame) noexcept {
  if (frame.size() <= kEthernetSize + kIpv6Size) return false;
  const std::uint8_t type = frame[kEthernetSize + kIpv6Size];
  return frame[kEthernetSize + 6] == kNextIcmpv6 &&
         (type == kSolicitation || type == kAdvertisement);
}

// Walks the options of a solicitation (RFC 4861 §4.6). False if one is cut off or has no length;
// `asker` takes the source link-layer address if there is one.
bool read_options(ByteReader options, MacAddress& asker, bool& has_source) noexcept {
  while (options.remaining() > 0) {
    const std::uint8_t type = options.u8();
    const std::size_t length = std::size_t{options.u8()} * 8;
    if (!options.ok() || length == 0) return false;
    const ByteView value = options.bytes(length - 2);
    if (!options.ok()) return false;
    if (type == kSourceLinkLayer && length == 8) {
      asker = MacAddress::at(value.data());
      has_source = true;
    }
  }
  return true;
}

NeighbourAnswer write_advertisement(MutableBytes reply, const MacAddress& asker,
                                    const IpAddress& source, const IpAddress& target) noexcept {
  const MacAddress mac = MacAddress::derived_from(target);
  ByteWriter out(reply);
  write_ethernet(out, asker, mac, kTypeIpv6);
  out.be<std::uint32_t>(0x60000000);
  out.be<std::uint16_t>(kSolicitationSize + 2 + kMacSize);
  out.u8(kNextIcmpv6);
  out.u8(kHopLimit);
  out.bytes(target.bytes());
  out.bytes(source.bytes());
  const std::size_t message = out.size();
  out.u8(kAdvertisement);
  out.u8(0);
  out.be<std::uint16_t>(0);
  out.be(kSolicitedAndOverride);
  out.bytes(target.bytes());
  out.u8(kTargetLinkLayer);
  out.u8(1);
  out.bytes(mac.bytes);
  if (!out.ok()) return kIgnored;
  const MutableBytes icmp = out.written().subspan(message);
  store_be(&icmp[2], icmpv6_checksum(target.bytes(), source.bytes(), icmp));
  return {NeighbourFrame::kAnswered, out.size()};
}

}  // namespace

NeighbourAnswer NeighbourResponder::answer(
    ByteView frame, std::span<std::uint8_t, kMaxReply> reply) const noexcept {
  if (frame.size() < kEthernetSize) return {};
  const std::uint16_t type = load_be<std::uint16_t>(&frame[2 * kMacSize]);
  if (type == kTypeIpv6 && is_neighbour_discovery(frame)) return answer_solicitation(frame, reply);
  if (type == kTypeArp) return answer_arp(frame, reply);
  return {};
}

NeighbourAnswer NeighbourResponder::answer_arp(ByteView frame, MutableBytes reply) const noexcept {
  ByteReader in(frame.subspan(kEthernetSize));
  const bool ethernet = in.be<std::uint16_t>() == kArpEthernet;
  const bool ipv4 = in.be<std::uint16_t>() == kTypeIpv4;
  const bool sizes = in.u8() == kMacSize && in.u8() == 4;
  const std::uint16_t operation = in.be<std::uint16_t>();
  MacAddress asker;
  in.copy(asker.bytes);
  const IpAddress sender = IpAddress::v4(in.be<std::uint32_t>());
  [[maybe_unused]] const ByteView unknown_mac = in.bytes(kMacSize);
  const IpAddress target = IpAddress::v4(in.be<std::uint32_t>());
  if (!in.ok() || !ethernet || !ipv4 || !sizes || asker.is_group() || asker.is_zero()) {
    return kMalformed;
  }
  // A sender of 0.0.0.0 probes for a duplicate, and one that asks for itself announces
  // (RFC 5227 §1.1): an answer to either would take the address away from the host.
  if (operation != kArpRequest || sender.is_unspecified() || sender == target ||
      !speaks_for(target)) {
    return kIgnored;
  }
  const MacAddress mac = MacAddress::derived_from(target);
  ByteWriter out(reply);
  write_ethernet(out, asker, mac, kTypeArp);
  out.be(kArpEthernet);
  out.be(kTypeIpv4);
  out.u8(kMacSize);
  out.u8(4);
  out.be(kArpReply);
  out.bytes(mac.bytes);
  out.be(target.v4());
  out.bytes(asker.bytes);
  out.be(sender.v4());
  return out.ok() ? NeighbourAnswer{NeighbourFrame::kAnswered, out.size()} : kIgnored;
}

// Validation is RFC 4861 §7.1.1, in its order.
NeighbourAnswer NeighbourResponder::answer_solicitation(ByteView frame,
                                                        MutableBytes reply) const noexcept {
  MacAddress asker = MacAddress::at(&frame[kMacSize]);
  ByteReader in(frame.subspan(kEthernetSize));
  const bool version6 = (in.be<std::uint32_t>() >> 28) == 6;
  const std::size_t payload = in.be<std::uint16_t>();
  [[maybe_unused]] const std::uint8_t next_header = in.u8();
  const std::uint8_t hop_limit = in.u8();
  const ByteView source_bytes = in.bytes(16);
  const ByteView destination_bytes = in.bytes(16);
  const ByteView message = in.bytes(payload);
  if (!in.ok() || !version6 || hop_limit != kHopLimit || message.size() < kSolicitationSize ||
      message[1] != 0 || icmpv6_checksum(source_bytes, destination_bytes, message) != 0) {
    return kMalformed;
  }
  if (message[0] != kSolicitation) return kIgnored;
  const IpAddress source = IpAddress::v6_at(source_bytes.data());
  const IpAddress target = IpAddress::v6_at(&message[8]);
  bool has_source = false;
  if (target.is_multicast() || source.is_multicast() ||
      !read_options(ByteReader(message.subspan(kSolicitationSize)), asker, has_source)) {
    return kMalformed;
  }
  // The unspecified source is a host that looks for a duplicate of its own new address
  // (RFC 4862 §5.4).
  if (source.is_unspecified()) return has_source ? kMalformed : kIgnored;
  if (asker.is_group() || asker.is_zero()) return kMalformed;
  if (!speaks_for(target)) return kIgnored;
  return write_advertisement(reply, asker, source, target);
}

// IPv6 link-local addresses never leave a link, so no peer has one here. IPv4's do occur as tunnel
// subnets in clouds.
bool NeighbourResponder::speaks_for(const IpAddress& target) const noexcept {
  const bool never_routed = !target.is_v4() && target.is_link_local();
  return !never_routed && !target.is_unspecified() && !target.is_multicast() &&
         !target.is_loopback() && std::ranges::find(own_, target) == own_.end();
}

}  // namespace ipop::kni
