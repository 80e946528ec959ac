// The Internet checksum (RFC 1071) and the pseudo headers of IPv4 (RFC 9293 §3.1) and IPv6
// (RFC 8200 §8.1). Any thread; pure. A sum is kept in the memory's own byte order, which RFC 1071
// §2(B) allows, and only turned round at the end.
#pragma once

#include <bit>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop {

// An unfinished sum. Pieces may be added in any order, each of even length but the last.
class ChecksumSum {
 public:
  void add(ByteView bytes) noexcept;
  // One word of 16 bits, as a number.
  void add_word(std::uint16_t value) noexcept { add_carried(in_memory_order(value)); }
  // Both addresses are of one family. `length` is that of the transport header and its data.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                         std::uint8_t protocol, std::uint32_t length) noexcept;

  // The checksum as a number, to be written with store_be. Zero over data that holds its right
  // checksum.
  [[nodiscard]] std::uint16_t finish() const noexcept;

 private:
  // Turns a word between a number and how memory holds it.
  static std::uint16_t in_memory_order(std::uint16_t value) noexcept {
    return std::endian::native == std::endian::little ? swap_bytes(value) : value;
  }
  void add_carried(std::uint64_t value) noexcept {
    sum_ += value;
    sum_ += static_cast<std::uint64_t>(sum_ < value);
  }

  std::uint64_t sum_ = 0;  // modulo 2^64 - 1, hence modulo 2^16 - 1
};

[[nodiscard]] inline std::uint16_t internet_checksum(ByteView bytes) noexcept {
  ChecksumSum sum;
  sum.add(bytes);
  return sum.finish();
}

}  // namespace ipop
