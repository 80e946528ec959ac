// The virtio-net header that stands before each frame on the tap (virtio 1.2 §5.1.6, little-endian
// on every machine). The kernel's own header for it is not C++. Values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace ipop::kni {

// Without num_buffers, which means nothing to a tap.
inline constexpr std::size_t kVnetHeaderSize = 10;
using VnetHeaderBytes = std::array<std::uint8_t, kVnetHeaderSize>;

struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;  // in flags
  static constexpr std::uint8_t kNotSegmented = 0;   // the gso_type of a frame that is one packet
  static constexpr std::uint8_t kTcp4 = 1;
  static constexpr std::uint8_t kTcp6 = 4;
  static constexpr std::uint8_t kUdp = 5;        // USO, Linux 6.2; not UFO's IP fragments
  static constexpr std::uint8_t kEcnBit = 0x80;  // in gso_type: its first segment alone has CWR

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kNotSegmented;
  std::uint16_t header_length = 0;
  std::uint16_t segment_size = 0;
  std::uint16_t checksum_start = 0;   // from the frame's first byte
  std::uint16_t checksum_offset = 0;  // from checksum_start

  [[nodiscard]] static VnetHeader read(const VnetHeaderBytes& bytes) noexcept {
    return {
        .flags = bytes[0],
        .gso_type = bytes[1],
        .header_length = load_le<std::uint16_t>(&bytes[2]),
        .segment_size = load_le<std::uint16_t>(&bytes[4]),
        .checksum_start = load_le<std::uint16_t>(&bytes[6]),
        .checksum_offset = load_le<std::uint16_t>(&bytes[8]),
    };
  }
  [[nodiscard]] VnetHeaderBytes bytes() const noexcept {
    VnetHeaderBytes to;
    to[0] = flags;
    to[1] = gso_type;
    store_le(&to[2], header_length);
    store_le(&to[4], segment_size);
    store_le(&to[6], checksum_start);
    store_le(&to[8], checksum_offset);
    return to;
  }
};

}  // namespace ipop::kni
