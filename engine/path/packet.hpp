// Short names for the bytes of a packet in one mbuf. Lcores.
#pragma once

#include <rte_mbuf.h>

#include "base/bytes.hpp"

namespace ipop::engine {

[[nodiscard]] inline std::uint8_t* data_of(rte_mbuf* packet) noexcept {
  return rte_pktmbuf_mtod(packet, std::uint8_t*);
}

[[nodiscard]] inline MutableBytes bytes_of(rte_mbuf* packet) noexcept {
  return {data_of(packet), packet->data_len};
}

// Cuts a packet of one segment to `length` bytes from its present start.
inline void set_length(rte_mbuf* packet, std::uint32_t length) noexcept {
  packet->data_len = static_cast<std::uint16_t>(length);
  packet->pkt_len = length;
}

// Moves its start forward; `count` is at most its length.
inline void cut_front(rte_mbuf* packet, std::uint16_t count) noexcept {
  packet->data_off = static_cast<std::uint16_t>(packet->data_off + count);
  set_length(packet, packet->pkt_len - count);
}

// Moves its start back into the headroom, which must have `count` bytes.
inline void grow_front(rte_mbuf* packet, std::uint16_t count) noexcept {
  packet->data_off = static_cast<std::uint16_t>(packet->data_off - count);
  set_length(packet, packet->pkt_len + count);
}

// How many packets of wire size a buffer holds: the segments of a super-packet, the datagrams of a
// train, else one.
[[nodiscard]] inline std::uint32_t packet_count(const rte_mbuf* packet) noexcept {
  if (packet->tso_segsz == 0) return 1;
  const auto headers = static_cast<std::uint32_t>(packet->l2_len + packet->l3_len + packet->l4_len);
  if (packet->pkt_len <= headers) return 1;
  return (packet->pkt_len - headers + packet->tso_segsz - 1) / packet->tso_segsz;
}

}  // namespace ipop::engine
