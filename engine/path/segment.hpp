// A super-packet of the host (TCP or UDP, IPv4 or IPv6) and the headers of the segments that it
// stands for: IP lengths and ids, sequence numbers, flags and checksums as a kernel's or a network
// card's segmentation writes them. One lcore; reads the packet, copies no payload.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "engine/path/inner_packet.hpp"

namespace ipop::engine {

class SuperPacket {
 public:
  // IPv4 with options, or IPv6 with some extension headers, and TCP with options.
  static constexpr std::uint32_t kMaxHeaders = 160;
  // A smaller segment size than this allows makes more packets than any sender means.
  static constexpr std::uint32_t kMaxSegments = 2048;

  // `packet` starts at its IP header and carries the marks of HostPort::rx_burst. Nothing if they
  // do not fit what it holds.
  [[nodiscard]] static std::optional<SuperPacket> of(const rte_mbuf* packet,
                                                     const InnerPacket& inner) noexcept;

  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint32_t headers() const noexcept { return headers_; }
  [[nodiscard]] std::uint32_t segment_size() const noexcept { return segment_size_; }
  // Of one segment, without its headers.
  [[nodiscard]] std::uint32_t payload(std::uint32_t index) const noexcept {
    return index + 1 < count_ ? segment_size_ : last_payload_;
  }
  // From the IP header of the super-packet.
  [[nodiscard]] std::uint32_t payload_start(std::uint32_t index) const noexcept {
    return headers_ + index * segment_size_;
  }
  [[nodiscard]] std::uint32_t total_payload() const noexcept {
    return (count_ - 1) * segment_size_ + last_payload_;
  }
  // A peer that is told of partial checksums can find the field again.
  [[nodiscard]] bool can_travel_partial() const noexcept { return plain_; }

  // Writes headers() bytes. The checksum is partial: complete_checksum() makes it whole.
  void write_headers(std::uint32_t index, std::uint8_t* out) const noexcept;
  [[nodiscard]] std::uint32_t transport_start() const noexcept { return transport_start_; }
  [[nodiscard]] std::uint32_t checksum_offset() const noexcept { return tcp_ ? 16 : 6; }

 private:
  std::array<std::uint8_t, kMaxHeaders> template_;
  std::uint32_t headers_ = 0;
  std::uint32_t transport_start_ = 0;
  std::uint32_t segment_size_ = 0;
  std::uint32_t last_payload_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint16_t id_ = 0;
  std::uint16_t ip_sum_ = 0;    // of an IPv4 header without length, id and checksum
  std::uint16_t full_sum_ = 0;  // partial checksum of a segment of segment_size
  std::uint16_t last_sum_ = 0;  // and of the last
  bool v4_ = false;
  bool tcp_ = false;
  bool plain_ = false;  // the transport header stands right behind the first IP header
};

}  // namespace ipop::engine
