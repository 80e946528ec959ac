// The TCP or UDP header of an inner packet, and the arithmetic of its checksum. Lcores; pure.
// A *partial* checksum is the sum of the pseudo-header alone, not inverted, in the checksum field,
// as kernels leave it to a network card. Between IPOP peers a packet may travel so: the AEAD guards
// it better than the checksum would. The lowest bit of its version nibble says so: 5 for IPv4, 7
// for IPv6.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "engine/path/inner_packet.hpp"

namespace ipop::engine {

inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint32_t kTcpHeader = 20;  // without options
inline constexpr std::uint32_t kUdpHeader = 8;

inline constexpr std::uint8_t kPartialBit = 0x10;
[[nodiscard]] constexpr bool is_marked_partial(std::uint8_t first) noexcept {
  return (first & 0xd0) == 0x50;
}

// One word, put together and handed over in a register: members of their own, and an optional's
// flag, would be stored one by one and loaded as a whole, which waits for the stores.
struct Transport {
  std::uint64_t start : 16 = 0;          // from the IP header
  std::uint64_t header_length : 16 = 0;  // TCP with its options, or 8
  std::uint64_t length : 16 = 0;         // header and payload
  std::uint64_t protocol : 8 = 0;        // kProtocolTcp or kProtocolUdp; 0 = there is none

  explicit operator bool() const noexcept { return protocol != 0; }

  [[nodiscard]] std::uint32_t checksum_offset() const noexcept {
    return protocol == kProtocolTcp ? 16 : 6;
  }
  [[nodiscard]] std::uint32_t headers() const noexcept {
    return static_cast<std::uint32_t>(start + header_length);
  }
  [[nodiscard]] std::uint32_t payload() const noexcept {
    return static_cast<std::uint32_t>(length - header_length);
  }
};
static_assert(sizeof(Transport) == 8);

// None for fragments, other protocols, IPv6 extension headers, and headers that do not fit.
[[nodiscard]] Transport parse_transport(ByteView packet, const InnerPacket& inner) noexcept;

// The partial checksum for a transport part of `length` bytes.
[[nodiscard]] std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                              std::uint8_t protocol, std::uint32_t length) noexcept;
// The partial checksum `sum` for another length: modulo 2^16 - 1, as all of RFC 1071.
[[nodiscard]] std::uint16_t with_length(std::uint16_t sum, std::uint32_t from,
                                        std::uint32_t to) noexcept;
// Turns a partial checksum into a whole one. `segment` is header and payload.
void complete_checksum(MutableBytes segment, std::uint32_t offset) noexcept;
// False also for UDP without a checksum.
[[nodiscard]] bool checksum_is_right(ByteView packet, const InnerPacket& inner,
                                     Transport transport) noexcept;

}  // namespace ipop::engine
