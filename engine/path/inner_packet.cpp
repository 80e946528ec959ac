#include "engine/path/inner_packet.hpp"

namespace ipop::engine {
namespace {

// A lcore keeps one per packet of its burst.
static_assert(sizeof(InnerPacket) <= 40);
static_assert(alignof(InnerPacket) <= 4);

// ::ffff:0:0/96, RFC 4291 §2.5.5.2.
bool is_v4_mapped(const std::uint8_t* address) noexcept {
  return (load_be<std::uint64_t>(address) | (load_be<std::uint32_t>(address + 8) ^ 0xffff)) == 0;
}

bool parse_v4(ByteView bytes, InnerPacket& into) noexcept {
  if (bytes.size() < kIpv4Header) return false;
  const std::uint8_t* const at = bytes.data();
  const std::size_t header = std::size_t{at[0] & 0x0fu} * 4;
  const std::size_t total = load_be<std::uint16_t>(at + 2);
  if (header < kIpv4Header || total < header || total > bytes.size()) return false;
  into.source = IpAddress::v4_at(at + 12);
  into.destination = IpAddress::v4_at(at + 16);
  into.total_length = static_cast<std::uint32_t>(total);
  into.version = 4;
  into.header_length = static_cast<std::uint8_t>(header);
  into.protocol = at[9];
  return true;
}

bool parse_v6(ByteView bytes, InnerPacket& into) noexcept {
  if (bytes.size() < kIpv6Header) return false;
  const std::uint8_t* const at = bytes.data();
  const std::size_t payload = load_be<std::uint16_t>(at + 4);
  // A payload length of zero with hop-by-hop options announces a jumbogram.
  const bool jumbogram = payload == 0 && at[6] == 0;
  if (kIpv6Header + payload > bytes.size() || jumbogram) return false;
  if (is_v4_mapped(at + 8) || is_v4_mapped(at + 24)) return false;
  into.source = IpAddress::v6_at(at + 8);
  into.destination = IpAddress::v6_at(at + 24);
  into.total_length = static_cast<std::uint32_t>(kIpv6Header + payload);
  into.version = 6;
  into.header_length = kIpv6Header;
  into.protocol = at[6];
  return true;
}

}  // namespace

bool parse_inner(ByteView bytes, InnerPacket& into) noexcept {
  const unsigned version = bytes.empty() ? 0 : bytes[0] >> 4;
  return version == 4 ? parse_v4(bytes, into) : version == 6 && parse_v6(bytes, into);
}

std::optional<InnerPacket> parse_inner(ByteView bytes) noexcept {
  std::optional<InnerPacket> inner(std::in_place);
  if (!parse_inner(bytes, *inner)) inner.reset();
  return inner;
}

FrameKind classify_frame(ByteView frame) noexcept {
  if (frame.size() < kEthernetHeader) return FrameKind::kTruncated;
  const auto ether_type = load_be<std::uint16_t>(frame.data() + 12);
  if (ether_type != kEtherTypeIpv4 && ether_type != kEtherTypeIpv6) return FrameKind::kNotIp;
  // The group bit: the lowest of the destination's first byte (IEEE 802); broadcast has it too.
  if ((frame[0] & 1) != 0) return FrameKind::kMulticast;
  return ether_type == kEtherTypeIpv4 ? FrameKind::kIpv4 : FrameKind::kIpv6;
}

}  // namespace ipop::engine
