// What the host hands in, made ready for sealing: frames are checked, Ethernet header and padding
// go, a partial checksum that the far end could not find again is made whole. A frame that has the
// addresses and the kind of the one before it is not parsed again, as frames come in runs.
// One lcore.
#pragma once

#include <rte_mbuf.h>

#include "engine/api/fate.hpp"
#include "engine/path/inner_packet.hpp"

namespace ipop::engine {

inline constexpr std::uint64_t kPartialChecksum = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;

// From the transport header, for a packet marked with either of them.
[[nodiscard]] inline std::uint32_t partial_checksum_offset(const rte_mbuf* packet) noexcept {
  return (packet->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM ? 6 : 16;
}

class HostPackets {
 public:
  // Before the first frame of a burst: what came earlier is no longer there to be compared.
  void begin_burst() noexcept { last_frame_ = nullptr; }
  // Turns a frame into its packet, the bytes of both as they were. kSent: it is ready for
  // destination(). Any other fate: it is the caller's to drop, and may already be stripped.
  [[nodiscard]] Fate unwrap(rte_mbuf* frame) noexcept;

  // Turns a packet back into its frame, for another to unwrap.
  static void wrap_again(rte_mbuf* packet) noexcept;

  // Of the last packet that was ready.
  [[nodiscard]] const IpAddress& destination() const noexcept { return last_.destination; }
  // Whether that is known to be the same as of the one before.
  [[nodiscard]] bool same_destination() const noexcept { return same_; }

 private:
  [[nodiscard]] Fate parse(const rte_mbuf* frame) noexcept;
  [[nodiscard]] bool is_like_last(const std::uint8_t* frame, std::uint32_t length) const noexcept;

  InnerPacket last_;
  bool same_ = false;
  // A frame that was ready, as it came, to compare the next one with; nullptr = none.
  const std::uint8_t* last_frame_ = nullptr;
};

}  // namespace ipop::engine
