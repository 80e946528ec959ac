// A frame for the host, gathered from where its bytes lie: one packet as it came out of the tunnel,
// or the contiguous segments of a flow as one super-packet, whose headers stand once. Values that
// point into packet buffers; they live until the port's tx_burst returns.
#pragma once

#include <cstdint>

#include "base/ip.hpp"

namespace ipop::engine {

enum class Segmentation : std::uint8_t { kNone, kTcp4, kTcp6, kUdp };

struct Piece {
  std::uint8_t* at = nullptr;
  std::uint32_t length = 0;
  const Piece* next = nullptr;
};

struct HostFrame {
  Piece first;                // starts with 14 bytes for the Ethernet header, which the port writes
  std::uint32_t size = 0;     // of all pieces
  IpAddress source;           // inner; of the packet's family
  std::uint16_t packets = 1;  // that came out of the tunnel
  Segmentation segmentation = Segmentation::kNone;
  std::uint16_t segment_size = 0;   // payload of every segment but the last, with segmentation
  std::uint16_t header_length = 0;  // Ethernet to transport header, with segmentation
  // The transport checksum holds the pseudo-header's sum alone: whoever needs it whole adds the
  // rest. Offsets in bytes: from the frame's start, and from there.
  bool partial_checksum = false;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};

}  // namespace ipop::engine
