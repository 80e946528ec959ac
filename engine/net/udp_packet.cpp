#include "engine/net/udp_packet.hpp"

#include <cstring>

#include "base/checksum.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kIpv4Size = 20;
constexpr std::size_t kIpv6Size = 40;
constexpr std::size_t kUdpSize = 8;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIpv6Fragment = 44;
constexpr std::uint16_t kFragmentBits = 0x3fff;  // more fragments, and the offset
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint8_t kTtl = 64;

UdpPacket judged(UdpVerdict verdict) noexcept {
  return {.verdict = verdict, .source = {}, .destination = {}};
}

// The UDP header at `start` of a packet of `end` bytes, whose addresses are there already.
UdpPacket parse_udp(ByteView packet, std::size_t start, std::size_t end,
                    UdpPacket parsed) noexcept {
  if (end - start < kUdpSize) return judged(UdpVerdict::kMalformed);
  const std::uint8_t* const udp = &packet[start];
  const std::size_t length = load_be<std::uint16_t>(udp + 4);
  if (length < kUdpSize || length > end - start) return judged(UdpVerdict::kMalformed);
  parsed.source.port = load_be<std::uint16_t>(udp);
  parsed.destination.port = load_be<std::uint16_t>(udp + 2);
  parsed.has_checksum = load_be<std::uint16_t>(udp + 6) != 0;
  // RFC 8200 §8.1.
  if (!parsed.has_checksum && !parsed.source.address.is_v4()) return judged(UdpVerdict::kMalformed);
  parsed.start = static_cast<std::uint16_t>(start + kUdpSize);
  parsed.length = static_cast<std::uint16_t>(length - kUdpSize);
  parsed.verdict = UdpVerdict::kDatagram;
  return parsed;
}

UdpPacket parse_v4(ByteView packet, bool header_checked) noexcept {
  if (packet.size() < kIpv4Size) return judged(UdpVerdict::kMalformed);
  const std::uint8_t* const at = packet.data();
  const std::size_t header = (at[0] & 0x0fu) * 4;
  const std::size_t total = load_be<std::uint16_t>(at + 2);
  if (header < kIpv4Size || total < header || total > packet.size() ||
      (!header_checked && internet_checksum(packet.first(header)) != 0)) {
    return judged(UdpVerdict::kMalformed);
  }
  if ((load_be<std::uint16_t>(at + 6) & kFragmentBits) != 0) return judged(UdpVerdict::kFragment);
  if (at[9] != kUdp) return judged(UdpVerdict::kNotUdp);
  UdpPacket parsed;
  parsed.source.address = IpAddress::v4_at(at + 12);
  parsed.destination.address = IpAddress::v4_at(at + 16);
  return parse_udp(packet, header, total, parsed);
}

UdpPacket parse_v6(ByteView packet) noexcept {
  if (packet.size() < kIpv6Size) return judged(UdpVerdict::kMalformed);
  const std::uint8_t* const at = packet.data();
  const std::size_t total = kIpv6Size + load_be<std::uint16_t>(at + 4);
  if (total > packet.size()) return judged(UdpVerdict::kMalformed);
  if (at[6] == kIpv6Fragment) return judged(UdpVerdict::kFragment);
  if (at[6] != kUdp) return judged(UdpVerdict::kNotUdp);
  UdpPacket parsed;
  parsed.source.address = IpAddress::v6_at(at + 8);
  parsed.destination.address = IpAddress::v6_at(at + 24);
  // On the wire an IPv4-mapped address is never right, and here it would pass for IPv4.
  if (parsed.source.address.is_v4() || parsed.destination.address.is_v4()) {
    return judged(UdpVerdict::kMalformed);
  }
  return parse_udp(packet, kIpv6Size, total, parsed);
}

}  // namespace

UdpPacket parse_udp_packet(ByteView packet, bool header_checked) noexcept {
  if (packet.empty()) return judged(UdpVerdict::kMalformed);
  switch (packet[0] >> 4) {
    case 4:
      return parse_v4(packet, header_checked);
    case 6:
      return parse_v6(packet);
    default:
      return judged(UdpVerdict::kMalformed);
  }
}

bool udp_checksum_is_right(ByteView packet, const UdpPacket& parsed) noexcept {
  const ByteView udp = packet.subspan(parsed.start - kUdpSize, kUdpSize + parsed.length);
  ChecksumSum sum;
  sum.add_pseudo_header(parsed.source.address, parsed.destination.address, kUdp,
                        static_cast<std::uint32_t>(udp.size()));
  sum.add(udp);
  return sum.finish() == 0;
}

bool udp_checksum_is_partial(ByteView packet, const UdpPacket& parsed) noexcept {
  ChecksumSum sum;
  sum.add_pseudo_header(parsed.source.address, parsed.destination.address, kUdp,
                        static_cast<std::uint32_t>(kUdpSize + parsed.length));
  const auto partial = static_cast<std::uint16_t>(~sum.finish());
  return load_be<std::uint16_t>(&packet[parsed.start - 2u]) == partial;
}

UdpHeaders::UdpHeaders(const MacAddress& from, std::uint16_t vlan, const IpAddress& source) noexcept
    : v4_(source.is_v4()), source_(source) {
  std::memset(template_, 0, sizeof template_);
  ByteWriter out(template_);
  const EthernetHeader ethernet{
      .to = {}, .from = from, .type = v4_ ? kEtherTypeIpv4 : kEtherTypeIpv6, .vlan = vlan};
  write_ethernet(ethernet, out);
  ethernet_size_ = static_cast<std::uint8_t>(out.size());
  if (v4_) {
    out.be<std::uint16_t>(0x4500);
    out.be<std::uint16_t>(0);
    // An atomic datagram's id may be anything (RFC 6864 §4.1).
    out.be<std::uint16_t>(0);
    out.be(kDontFragment);
    out.u8(kTtl);
    out.u8(kUdp);
    out.be<std::uint16_t>(0);
    out.be(source.v4());
    out.be<std::uint32_t>(0);
    ip_sum_ = 0x4500u + kDontFragment + (kTtl << 8 | kUdp) + detail::words_of(source.v4());
  } else {
    out.be<std::uint32_t>(0x60000000);
    out.be<std::uint16_t>(0);
    out.u8(kUdp);
    out.u8(kTtl);
    out.bytes(source.bytes());
    out.bytes(IpAddress{}.bytes());
  }
  size_ = static_cast<std::uint8_t>(out.size() + kUdpSize);
}

void UdpHeaders::write_checksum(std::uint8_t* udp, std::uint16_t length, const IpAddress& to,
                                Checksum checksum) const noexcept {
  ChecksumSum sum;
  sum.add_pseudo_header(source_, to, kUdp, length);
  if (checksum == Checksum::kPseudo) {
    store_be(udp + 6, static_cast<std::uint16_t>(~sum.finish()));
    return;
  }
  sum.add({udp, length});
  const std::uint16_t whole = sum.finish();
  store_be<std::uint16_t>(udp + 6, whole == 0 ? 0xffff : whole);
}

}  // namespace ipop::engine
