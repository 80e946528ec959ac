#include "engine/net/neighbour_discovery.hpp"

#include <algorithm>

#include "base/checksum.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kIpv6Size = 40;
constexpr std::size_t kNextHeaderAt = 6;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kHopLimit = 255;  // so it was not forwarded
constexpr std::size_t kBodySize = 24;
constexpr std::size_t kTargetAt = 8;
constexpr std::uint8_t kSourceLinkLayer = 1;
constexpr std::uint8_t kTargetLinkLayer = 2;
constexpr std::uint8_t kRouter = 0x80;
constexpr std::uint8_t kSolicited = 0x40;
constexpr std::uint8_t kOverride = 0x20;

using Kind = NeighbourMessage::Kind;

std::uint16_t checksum(const IpAddress& source, const IpAddress& destination,
                       ByteView message) noexcept {
  ChecksumSum sum;
  sum.add_pseudo_header(source, destination, kIcmpv6, static_cast<std::uint32_t>(message.size()));
  sum.add(message);
  return sum.finish();
}

constexpr std::uint8_t option_of(Kind kind) noexcept {
  return kind == Kind::kSolicitation ? kSourceLinkLayer : kTargetLinkLayer;
}

// False if an option is cut off or has no length.
bool read_options(ByteReader options, NeighbourMessage& into) noexcept {
  while (options.remaining() > 0) {
    const std::uint8_t type = options.u8();
    const std::size_t length = std::size_t{options.u8()} * 8;
    if (!options.ok() || length == 0) return false;
    const ByteView value = options.bytes(length - 2);
    if (!options.ok()) return false;
    if (type == option_of(into.kind) && length == 8) into.link_layer = MacAddress::at(value.data());
  }
  return true;
}

}  // namespace

bool is_neighbour_discovery(ByteView packet) noexcept {
  if (packet.size() <= kIpv6Size || packet[kNextHeaderAt] != kIcmpv6) return false;
  const std::uint8_t type = packet[kIpv6Size];
  return type == static_cast<std::uint8_t>(Kind::kSolicitation) ||
         type == static_cast<std::uint8_t>(Kind::kAdvertisement);
}

std::optional<NeighbourMessage> parse_neighbour_message(ByteView packet) noexcept {
  if (!is_neighbour_discovery(packet)) return std::nullopt;
  ByteReader in(packet);
  const bool version6 = (in.be<std::uint32_t>() >> 28) == 6;
  const std::size_t payload = in.be<std::uint16_t>();
  [[maybe_unused]] const std::uint8_t next_header = in.u8();
  const std::uint8_t hop_limit = in.u8();
  NeighbourMessage parsed;
  const ByteView source = in.bytes(16);
  const ByteView destination = in.bytes(16);
  const ByteView message = in.bytes(payload);
  if (!in.ok() || !version6 || hop_limit != kHopLimit || message.size() < kBodySize ||
      message[1] != 0) {
    return std::nullopt;
  }
  parsed.kind = static_cast<Kind>(message[0]);
  parsed.source = IpAddress::v6_at(source.data());
  parsed.destination = IpAddress::v6_at(destination.data());
  parsed.target = IpAddress::v6_at(&message[kTargetAt]);
  // On the wire an IPv4-mapped address is never right, and here it would pass for IPv4.
  if (parsed.source.is_v4() || parsed.destination.is_v4() || parsed.target.is_v4()) {
    return std::nullopt;
  }
  if (checksum(parsed.source, parsed.destination, message) != 0 || parsed.target.is_multicast() ||
      parsed.source.is_multicast() ||
      !read_options(ByteReader(message.subspan(kBodySize)), parsed)) {
    return std::nullopt;
  }
  if (parsed.link_layer && !parsed.link_layer->is_unicast()) return std::nullopt;
  if (parsed.kind == Kind::kSolicitation) {
    const bool to_its_group = parsed.destination == solicited_node(parsed.target);
    if (parsed.source.is_unspecified() && (parsed.link_layer || !to_its_group)) return std::nullopt;
    return parsed;
  }
  parsed.router = (message[4] & kRouter) != 0;
  parsed.solicited = (message[4] & kSolicited) != 0;
  parsed.override = (message[4] & kOverride) != 0;
  if (parsed.solicited && parsed.destination.is_multicast()) return std::nullopt;
  return parsed;
}

void write_neighbour_message(const NeighbourMessage& message, ByteWriter& out) noexcept {
  const std::size_t start = out.size();
  out.be<std::uint32_t>(0x60000000);
  out.be<std::uint16_t>(kNeighbourMessageSize - kIpv6Size);
  out.u8(kIcmpv6);
  out.u8(kHopLimit);
  out.bytes(message.source.bytes());
  out.bytes(message.destination.bytes());
  out.u8(static_cast<std::uint8_t>(message.kind));
  out.u8(0);
  out.be<std::uint16_t>(0);
  std::uint8_t flags = 0;
  if (message.router) flags |= kRouter;
  if (message.solicited) flags |= kSolicited;
  if (message.override) flags |= kOverride;
  out.be<std::uint32_t>(std::uint32_t{flags} << 24);
  out.bytes(message.target.bytes());
  out.u8(option_of(message.kind));
  out.u8(1);
  out.bytes(message.link_layer.value_or(MacAddress{}).bytes);
  if (!out.ok()) return;
  const MutableBytes icmp = out.written().subspan(start + kIpv6Size);
  store_be(&icmp[2], checksum(message.source, message.destination, icmp));
}

IpAddress solicited_node(const IpAddress& target) noexcept {
  IpAddress::Bytes bytes{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy_n(&target.bytes()[13], 3, &bytes[13]);
  return IpAddress(bytes);
}

MacAddress group_mac(const IpAddress& group) noexcept {
  MacAddress mac{{0x33, 0x33}};
  std::copy_n(&group.bytes()[12], 4, &mac.bytes[2]);
  return mac;
}

}  // namespace ipop::engine
