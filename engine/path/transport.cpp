#include "engine/path/transport.hpp"

#include "base/checksum.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint16_t kFragmentBits = 0x3fff;  // more fragments, and the offset

std::uint16_t fold(std::uint32_t sum) noexcept {
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>((sum >> 16) + sum);
}

}  // namespace

Transport parse_transport(ByteView packet, const InnerPacket& inner) noexcept {
  if (inner.version == 4 && (load_be<std::uint16_t>(&packet[6]) & kFragmentBits) != 0) {
    return {};
  }
  Transport transport{
      .start = inner.header_length,
      .length = static_cast<std::uint16_t>(inner.total_length - inner.header_length),
      .protocol = inner.protocol};
  const std::uint8_t* const at = packet.data() + transport.start;
  if (inner.protocol == kProtocolTcp) {
    if (transport.length < kTcpHeader) return {};
    transport.header_length = static_cast<std::uint16_t>((at[12] >> 4) * 4);
    if (transport.header_length < kTcpHeader || transport.header_length > transport.length) {
      return {};
    }
  } else if (inner.protocol == kProtocolUdp) {
    if (transport.length < kUdpHeader) return {};
    transport.header_length = kUdpHeader;
    // RFC 768: a length of its own, which may not disagree with what IP says.
    if (load_be<std::uint16_t>(at + 4) != transport.length) return {};
  } else {
    return {};
  }
  return transport;
}

std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length) noexcept {
  ChecksumSum sum;
  sum.add_pseudo_header(source, destination, protocol, length);
  return static_cast<std::uint16_t>(~sum.finish());
}

std::uint16_t with_length(std::uint16_t sum, std::uint32_t from, std::uint32_t to) noexcept {
  return fold(std::uint32_t{sum} + (~from & 0xffff) + (to & 0xffff));
}

void complete_checksum(MutableBytes segment, std::uint32_t offset) noexcept {
  const std::uint16_t checksum = internet_checksum(segment);
  // Zero means "none" in UDP; its other form, all ones, is right for every protocol (RFC 768).
  store_be<std::uint16_t>(&segment[offset], checksum == 0 ? 0xffff : checksum);
}

bool checksum_is_right(ByteView packet, const InnerPacket& inner, Transport transport) noexcept {
  const ByteView segment = packet.subspan(transport.start, transport.length);
  if (inner.protocol == kProtocolUdp &&
      load_be<std::uint16_t>(&segment[transport.checksum_offset()]) == 0) {
    return false;
  }
  ChecksumSum sum;
  sum.add_pseudo_header(inner.source, inner.destination, inner.protocol, transport.length);
  sum.add(segment);
  return sum.finish() == 0;
}

}  // namespace ipop::engine
