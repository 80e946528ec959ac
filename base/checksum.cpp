#include "base/checksum.hpp"

#include <concepts>
#include <cstring>

namespace ipop {
namespace {

template <std::unsigned_integral T>
T load_native(const std::uint8_t* at) noexcept {
  T word;
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
    const auto first = load_native<std::uint64_t>(at);
    const auto second = load_native<std::uint64_t>(at + 8);
    low += (first & 0xffffffff) + (second & 0xffffffff);
    high += (first >> 32) + (second >> 32);
  }
  // Piece by piece from where they lie: the rest put together in a buffer could only be loaded
  // from it once all its parts had been stored. At most 2^33 each, so nothing carries.
  if ((left & 8) != 0) {
    const auto word = load_native<std::uint64_t>(at);
    low += word & 0xffffffff;
    high += word >> 32;
    at += 8;
  }
  if ((left & 4) != 0) {
    low += load_native<std::uint32_t>(at);
    at += 4;
  }
  if ((left & 2) != 0) {
    low += load_native<std::uint16_t>(at);
    at += 2;
  }
  // A missing last byte counts as zero.
  if ((left & 1) != 0) low += in_memory_order(static_cast<std::uint16_t>(*at << 8));
  add_carried(low);
  add_carried(high);
}

void ChecksumSum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                    std::uint8_t protocol, std::uint32_t length) noexcept {
  for (const IpAddress* const address : {&source, &destination}) {
    const std::uint8_t* const at = address->bytes().data();
    if (!source.is_v4()) {
      add_carried(load_native<std::uint64_t>(at));
      add_carried(load_native<std::uint64_t>(at + 8));
    } else {
      add_carried(load_native<std::uint32_t>(at + 12));
    }
  }
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
  return in_memory_order(folded);
}

}  // namespace ipop
