#include "engine/path/flow.hpp"

#include <rte_hash_crc.h>

#include "base/bytes.hpp"
#include "engine/path/inner_packet.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

bool has_ports(std::uint8_t protocol) noexcept {
  return protocol == kProtocolTcp || protocol == kProtocolUdp;
}

}  // namespace

std::uint32_t flow_hash(const rte_mbuf* packet) noexcept {
  const auto* const ip = rte_pktmbuf_mtod(packet, const std::uint8_t*);
  const std::uint32_t length = packet->pkt_len;
  std::uint32_t hash = 0;
  std::uint32_t ports = 0;  // where they stand; 0: there are none
  if (ip[0] >> 4 == 6) {
    hash = ip[6];
    for (std::size_t at = 8; at < kIpv6Header; at += 8)
      hash = rte_hash_crc_8byte(load_le<std::uint64_t>(ip + at), hash);
    if (has_ports(ip[6])) ports = kIpv6Header;
  } else {
    hash = rte_hash_crc_8byte(load_le<std::uint64_t>(ip + 12), ip[9]);
    // RFC 791: more fragments, or an offset.
    const bool fragment = (load_be<std::uint16_t>(ip + 6) & 0x3fff) != 0;
    if (has_ports(ip[9]) && !fragment) ports = (ip[0] & 0x0fu) * 4;
  }
  if (ports != 0 && ports + 4 <= length)
    hash = rte_hash_crc_4byte(load_le<std::uint32_t>(ip + ports), hash);
  return hash ^ (hash >> 16);
}

}  // namespace ipop::engine
