#include "engine/path/checksum.hpp"

#include <bit>
#include <cstring>

namespace ipop::engine {
namespace {

std::uint64_t load_native(const std::uint8_t* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace

void ChecksumSum::add(ByteView bytes) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  // Halves of 32 bits in sums of their own: no carry to chase before 2^32 words, and two words a
  // turn keep the adders busy.
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (; left >= 16; at += 16, left -= 16) {
    const std::uint64_t first = load_native(at);
    const std::uint64_t second = load_native(at + 8);
    low += (first & 0xffffffff) + (second & 0xffffffff);
    high += (first >> 32) + (second >> 32);
  }
  add_carried(low);
  add_carried(high);
  if (left >= 8) {
    add_carried(load_native(at));
    at += 8;
    left -= 8;
  }
  // A missing last byte counts as zero, and so do the six or fewer words behind it.
  std::uint8_t rest[8] = {};
  if (left != 0) std::memcpy(rest, at, left);
  add_carried(load_native(rest));
}

void ChecksumSum::add_word(std::uint16_t value) noexcept {
  std::uint8_t bytes[2];
  store_be<std::uint16_t>(bytes, value);
  add(bytes);
}

void ChecksumSum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                    std::uint8_t protocol, std::uint32_t length) noexcept {
  const std::size_t skip = source.is_v4() ? 12 : 0;
  add(ByteView(source.bytes()).subspan(skip));
  add(ByteView(destination.bytes()).subspan(skip));
  // The length's upper half is zero in IPv4, where the field has 16 bits.
  add_word(static_cast<std::uint16_t>(length >> 16));
  add_word(static_cast<std::uint16_t>(length));
  add_word(protocol);
}

std::uint16_t ChecksumSum::finish() const noexcept {
  // Each fold keeps the value modulo 2^16 - 1: 64 bits, 33, 18, 17, 16.
  std::uint64_t sum = (sum_ >> 32) + (sum_ & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  const auto folded = static_cast<std::uint16_t>(~sum);
  return std::endian::native == std::endian::little ? swap_bytes(folded) : folded;
}

}  // namespace ipop::engine
