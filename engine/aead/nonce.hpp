// The parts of a data datagram's AEAD that all engines share: nonce, tag comparison, suite bits.
// Lcores and the overlay thread; pure.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "engine/aead/aead.hpp"

namespace ipop::engine {

inline constexpr std::size_t kNonceSize = 12;

// Four zero bytes, then the counter in little endian (WireGuard paper §5.4.6).
[[nodiscard]] inline std::array<std::uint8_t, kNonceSize> nonce_of(std::uint64_t counter) noexcept {
  std::array<std::uint8_t, kNonceSize> nonce{};
  store_le<std::uint64_t>(&nonce[4], counter);
  return nonce;
}

// Constant time: no branch before both halves were compared.
[[nodiscard]] inline bool same_tag(const std::uint8_t* a, const std::uint8_t* b) noexcept {
  const std::uint64_t low = load_le<std::uint64_t>(a) ^ load_le<std::uint64_t>(b);
  const std::uint64_t high = load_le<std::uint64_t>(a + 8) ^ load_le<std::uint64_t>(b + 8);
  return (low | high) == 0;
}

[[nodiscard]] constexpr std::uint8_t suite_bit(AeadSuite suite) noexcept {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(suite));
}

}  // namespace ipop::engine
