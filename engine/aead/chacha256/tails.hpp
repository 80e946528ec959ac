// Words, and texts of fewer bytes than a block, without a byte read or written beyond them.
// Everything here has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipop::engine::chacha256 {
namespace {

[[gnu::always_inline]] inline std::uint64_t load64(const std::uint8_t* at) {
  std::uint64_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
[[gnu::always_inline]] inline void store64(std::uint8_t* at, std::uint64_t value) {
  __builtin_memcpy(at, &value, sizeof value);
}

// Fewer than kLimit bytes, a power of two: half of it, a quarter .. as the bits of `size` say.
template <std::size_t kLimit>
[[gnu::always_inline]] inline void copy_below(std::uint8_t* to, const std::uint8_t* from,
                                              std::size_t size) {
  if constexpr (kLimit > 1) {
    constexpr std::size_t kHalf = kLimit / 2;
    if ((size & kHalf) != 0) {
      __builtin_memcpy(to, from, kHalf);
      to += kHalf;
      from += kHalf;
    }
    copy_below<kHalf>(to, from, size);
  }
}

}  // namespace
}  // namespace ipop::engine::chacha256
