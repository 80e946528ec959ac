// What an inner packet says of itself: the IPv4 or IPv6 header behind an Ethernet header or inside
// a sealed datagram. Called by lcores for each packet; pure. It looks at the IP header alone:
// checksums, options and everything above stay the hosts' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "engine/net/ethernet.hpp"

namespace ipop::engine {

inline constexpr std::size_t kIpv4Header = 20;  // without options
inline constexpr std::size_t kIpv6Header = 40;

struct InnerPacket {
  IpAddress source;
  IpAddress destination;
  std::uint32_t total_length = 0;  // header and payload; what is available behind it is padding
  std::uint8_t version = 0;        // 4 or 6
  std::uint8_t header_length = 0;  // with IPv4's options; 40 for IPv6
  std::uint8_t protocol = 0;       // IPv4's protocol, IPv6's first next header

  [[nodiscard]] std::uint16_t ether_type() const noexcept {
    return version == 4 ? kEtherTypeIpv4 : kEtherTypeIpv6;
  }
};

// Nothing if `bytes` do not begin with a whole packet: wrong version, a header that is cut off or
// too short for itself, a total length beyond `bytes`, or an IPv6 jumbogram (RFC 2675). An IPv6
// packet from or to an IPv4-mapped address is refused as well: on the wire it is never right, and
// in an IpAddress it would pass for the IPv4 address.
[[nodiscard]] std::optional<InnerPacket> parse_inner(ByteView bytes) noexcept;
// The same, filled in where the caller wants it, which is undefined if false: built elsewhere and
// copied, the wide loads of the copy would wait for the narrow stores before them, which take more
// than half of this function's time.
[[nodiscard]] bool parse_inner(ByteView bytes, InnerPacket& into) noexcept;

enum class FrameKind : std::uint8_t {
  kIpv4,       // for one station, holds IPv4
  kIpv6,       // for one station, holds IPv6
  kMulticast,  // to a group or to all: IPv4 or IPv6, which is not carried
  kNotIp,      // another EtherType, or VLAN tagged
  kTruncated,  // no whole Ethernet header
};

[[nodiscard]] FrameKind classify_frame(ByteView frame) noexcept;

}  // namespace ipop::engine
