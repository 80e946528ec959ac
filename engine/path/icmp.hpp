// The ICMP and ICMPv6 errors that a host gets for a packet which the engine does not carry. Called
// by lcores, off the fast path; pure. The caller limits their rate (RFC 1812 §4.3.2.8, RFC 4443
// §2.4 f), puts the Ethernet header in front, and knows which IPv4 addresses are its subnets'
// broadcasts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "engine/api/inject.hpp"

namespace ipop::engine {

// Most that an answer measures: RFC 1812 §4.3.2.3 and RFC 4443 §3.
inline constexpr std::size_t kMaxIcmpv4Answer = 576;
inline constexpr std::size_t kMaxIcmpv6Answer = 1280;

// Each writes a whole IP packet from the packet's destination to its source into `into`, which does
// not overlap `packet` and ideally has room for kMaxIcmpv6Answer bytes: with less room, less of the
// packet is quoted. Returns its size, or 0 if `packet` must not be answered (it is malformed, an
// ICMP error, a fragment other than the first, or from or to an address that is not one host's), or
// if not even its header and eight bytes fit.

// ICMP 3/1 or 3/13, ICMPv6 1/3 or 1/1.
[[nodiscard]] std::size_t build_unreachable(ByteView packet, RejectReason reason,
                                            MutableBytes into) noexcept;
// ICMP 3/4 (RFC 1191), whether or not the packet forbids fragments, since the engine makes none;
// ICMPv6 2/0. `mtu` is the largest inner packet that would have passed. Hosts heed values from 68
// (IPv4) and 1280 (IPv6) up.
[[nodiscard]] std::size_t build_too_big(ByteView packet, std::uint16_t mtu,
                                        MutableBytes into) noexcept;

}  // namespace ipop::engine
