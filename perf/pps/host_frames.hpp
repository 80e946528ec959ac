// Frames as a tap interface with offloads gives them: UDP packets and TCP super-packets whose
// checksums are partial.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "base/ip.hpp"

namespace ipop::perf {

// An IPv4 packet of `size` bytes behind an Ethernet header; at least 28.
void write_udp_frame(rte_mbuf* frame, const IpAddress& from, const IpAddress& to,
                     std::uint32_t size) noexcept;
// kSuperSize bytes behind an Ethernet header, to be cut into kSegments. Payload is left as it is.
void write_super_frame(rte_mbuf* frame, const IpAddress& from, const IpAddress& to) noexcept;

}  // namespace ipop::perf
