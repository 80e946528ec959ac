// What the firewall has to know of an inner packet: its ends, seen from this node, and the header
// that the last host will act on, behind all that IPv6 may put in front of it. Lcores; pure. It
// reads nothing outside the bytes it is given.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::engine::firewall {

enum class Direction : std::uint8_t { kIn, kOut };  // from a peer to the host; from it to a peer

[[nodiscard]] constexpr Direction opposite(Direction direction) noexcept {
  return direction == Direction::kIn ? Direction::kOut : Direction::kIn;
}

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kDccp = 33;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kSctp = 132;
inline constexpr std::uint8_t kUdpLite = 136;

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kAck = 0x10;
}  // namespace tcp_flag

struct PacketFacts {
  enum class Part : std::uint8_t {
    kWhole,
    kFirst,  // the first fragment: it has the transport header
    kLater,  // another fragment: it has none
  };
  enum class IcmpKind : std::uint8_t {
    kNone,   // not ICMP
    kQuery,  // wants an answer, which has the same `query_id`
    kReply,
    kError,  // about the packet at `quote`
    kOther,
  };

  IpAddress remote;
  IpAddress local;
  std::uint32_t fragment_id = 0;
  std::uint16_t remote_port = 0;
  std::uint16_t local_port = 0;
  std::uint16_t query_id = 0;
  std::uint16_t quote = 0;  // from the IP header
  std::uint8_t protocol = 0;
  std::uint8_t icmp_type = 0;
  std::uint8_t tcp_flags = 0;
  bool has_ports = false;
  // Nothing stands between the IP header, without options, and the ports.
  bool is_plain = false;
  Part part = Part::kWhole;
  IcmpKind icmp = IcmpKind::kNone;

  [[nodiscard]] bool is_icmp() const noexcept {
    return protocol == (remote.is_v4() ? kIcmp : kIcmpv6);
  }
};

// `packet`: an IP header that parse_inner() accepted, with all that its length says and nothing
// more. False: it is cut off where a host would read on, or not the whole header is in the first
// fragment (RFC 1858, RFC 7112), or it has more extension headers than any honest packet.
[[nodiscard]] bool read_facts(ByteView packet, Direction direction, PacketFacts& facts) noexcept;

// Of the packet that an ICMP error quotes, which had gone the other way: `direction` is the
// error's. Of a quote, hosts promise no more than eight bytes behind the IP header. Nothing if it
// cannot be told.
[[nodiscard]] std::optional<PacketFacts> read_quote(ByteView packet, const PacketFacts& error,
                                                    Direction direction) noexcept;

}  // namespace ipop::engine::firewall
