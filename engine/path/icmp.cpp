#include "engine/path/icmp.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/checksum.hpp"
#include "engine/path/inner_packet.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kIcmpHeader = 8;  // of the errors of both versions
constexpr std::size_t kLeastQuote = 8;  // bytes behind the IP header (RFC 792)
constexpr std::uint8_t kHopLimit = 64;

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;

// Type, code, and the four bytes behind the checksum.
struct Message {
  std::uint8_t type;
  std::uint8_t code;
  std::uint32_t rest = 0;
};

// RFC 1122 §3.2.2: these are errors, and an error is never answered with an error.
bool is_icmpv4_error(std::uint8_t type) noexcept {
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

// RFC 4443 §2.1 and §2.4 e: types below 128 are errors, and a redirect (137) counts as one.
bool is_icmpv6_error(std::uint8_t type) noexcept {
  return type < 128 || type == 137;
}

// One host's address, to which a packet can be sent or from which it can come (RFC 1812 §4.3.2.7).
bool is_one_host(const IpAddress& address) noexcept {
  if (address.is_unspecified() || address.is_multicast() || address.is_loopback()) return false;
  if (!address.is_v4()) return true;
  const std::uint32_t net = address.v4() >> 24;
  return net != 0 && net < 240;  // "this network" and class E
}

bool permits_answer_v4(ByteView packet, const InnerPacket& inner) noexcept {
  const bool later_fragment = (load_be<std::uint16_t>(&packet[6]) & 0x1fff) != 0;
  if (later_fragment) return false;
  if (inner.protocol != kIcmp) return true;
  return packet.size() > inner.header_length && !is_icmpv4_error(packet[inner.header_length]);
}

// Walks the extension headers (RFC 8200 §4) for a fragment that is not the first and for ICMPv6.
// A chain that is cut off or longer than anybody's might hide either: no answer.
bool permits_answer_v6(ByteView packet, const InnerPacket& inner) noexcept {
  constexpr int kMostHeaders = 8;
  std::uint8_t next = inner.protocol;
  std::size_t at = kIpv6Header;
  for (int i = 0; i < kMostHeaders; ++i) {
    const ByteView rest = packet.subspan(std::min(at, packet.size()));
    switch (next) {
      case 0:   // hop-by-hop options
      case 43:  // routing
      case 60:  // destination options
        if (rest.size() < 8) return false;
        at += (std::size_t{rest[1]} + 1) * 8;
        break;
      case 44:  // fragment
        if (rest.size() < 8 || (load_be<std::uint16_t>(&rest[2]) & 0xfff8) != 0) return false;
        at += 8;
        break;
      case 51:  // authentication (RFC 4302), which counts in words of four
        if (rest.size() < 8) return false;
        at += (std::size_t{rest[1]} + 2) * 4;
        break;
      case kIcmpv6:
        return !rest.empty() && !is_icmpv6_error(rest[0]);
      default:
        return true;
    }
    next = rest[0];
  }
  return false;
}

// How much of the packet is quoted behind `headers` bytes, or nothing if too little would be.
std::optional<std::size_t> quote_length(const InnerPacket& inner, std::size_t headers,
                                        std::size_t most, std::size_t room) noexcept {
  const std::size_t total = inner.total_length;
  const std::size_t limit = std::min(most, room);
  const std::size_t least = std::min(total, inner.header_length + kLeastQuote);
  if (limit < headers + least) return std::nullopt;
  return std::min(total, limit - headers);
}

void write_icmp(std::uint8_t* at, const Message& message, ByteView quote) noexcept {
  at[0] = message.type;
  at[1] = message.code;
  store_be<std::uint16_t>(at + 2, 0);
  store_be<std::uint32_t>(at + 4, message.rest);
  std::memcpy(at + kIcmpHeader, quote.data(), quote.size());
}

std::size_t answer_v4(ByteView packet, const InnerPacket& inner, const Message& message,
                      MutableBytes into) noexcept {
  constexpr std::size_t kHeaders = kIpv4Header + kIcmpHeader;
  const auto quoted = quote_length(inner, kHeaders, kMaxIcmpv4Answer, into.size());
  if (!quoted) return 0;
  const std::size_t size = kHeaders + *quoted;
  std::uint8_t* const ip = into.data();
  ip[0] = 0x45;
  ip[1] = 0xc0;  // precedence of internetwork control, RFC 1812 §4.3.2.5
  store_be<std::uint16_t>(ip + 2, static_cast<std::uint16_t>(size));
  store_be<std::uint32_t>(ip + 4, 0x4000);  // identification 0, not to be fragmented (RFC 6864)
  ip[8] = kHopLimit;
  ip[9] = kIcmp;
  store_be<std::uint16_t>(ip + 10, 0);
  std::memcpy(ip + 12, &packet[16], 4);
  std::memcpy(ip + 16, &packet[12], 4);
  store_be<std::uint16_t>(ip + 10, internet_checksum(ByteView(ip, kIpv4Header)));

  std::uint8_t* const icmp = ip + kIpv4Header;
  write_icmp(icmp, message, packet.first(*quoted));
  store_be<std::uint16_t>(icmp + 2, internet_checksum(ByteView(icmp, kIcmpHeader + *quoted)));
  return size;
}

std::size_t answer_v6(ByteView packet, const InnerPacket& inner, const Message& message,
                      MutableBytes into) noexcept {
  constexpr std::size_t kHeaders = kIpv6Header + kIcmpHeader;
  const auto quoted = quote_length(inner, kHeaders, kMaxIcmpv6Answer, into.size());
  if (!quoted) return 0;
  const std::size_t payload = kIcmpHeader + *quoted;
  std::uint8_t* const ip = into.data();
  store_be<std::uint32_t>(ip, 0x60000000);
  store_be<std::uint16_t>(ip + 4, static_cast<std::uint16_t>(payload));
  ip[6] = kIcmpv6;
  ip[7] = kHopLimit;
  std::memcpy(ip + 8, &packet[24], 16);
  std::memcpy(ip + 24, &packet[8], 16);

  std::uint8_t* const icmp = ip + kIpv6Header;
  write_icmp(icmp, message, packet.first(*quoted));
  ChecksumSum sum;
  sum.add_pseudo_header(inner.destination, inner.source, kIcmpv6,
                        static_cast<std::uint32_t>(payload));
  sum.add(ByteView(icmp, payload));
  store_be<std::uint16_t>(icmp + 2, sum.finish());
  return kIpv6Header + payload;
}

// The right one of two messages for the packet's version.
std::size_t answer(ByteView bytes, const Message& for_v4, const Message& for_v6,
                   MutableBytes into) noexcept {
  const auto inner = parse_inner(bytes);
  if (!inner || !is_one_host(inner->source) || !is_one_host(inner->destination)) return 0;
  const ByteView packet = bytes.first(inner->total_length);
  if (inner->version == 4) {
    return permits_answer_v4(packet, *inner) ? answer_v4(packet, *inner, for_v4, into) : 0;
  }
  return permits_answer_v6(packet, *inner) ? answer_v6(packet, *inner, for_v6, into) : 0;
}

}  // namespace

std::size_t build_unreachable(ByteView packet, RejectReason reason, MutableBytes into) noexcept {
  if (reason == RejectReason::kHostUnreachable) return answer(packet, {3, 1}, {1, 3}, into);
  return answer(packet, {3, 13}, {1, 1}, into);
}

std::size_t build_too_big(ByteView packet, std::uint16_t mtu, MutableBytes into) noexcept {
  return answer(packet, {3, 4, mtu}, {2, 0, mtu}, into);
}

}  // namespace ipop::engine
