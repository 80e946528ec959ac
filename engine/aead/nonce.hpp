// The parts of a data datagram's AEAD that all engines share: nonce, front, tag comparison, suite
// bits.
// Lcores and the overlay thread; pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "engine/aead/aead.hpp"

namespace ipop::engine {

inline constexpr std::size_t kNonceSize = 12;

// The salt, then the counter in little endian (WireGuard paper §5.4.6).
[[nodiscard]] inline std::array<std::uint8_t, kNonceSize> nonce_of(const AeadJob& job) noexcept {
  std::array<std::uint8_t, kNonceSize> nonce;
  std::memcpy(nonce.data(), &job.key->salt, 4);
  store_le<std::uint64_t>(&nonce[4], job.counter);
  return nonce;
}

// Puts the front where it stands in one piece with the rest; returns where that begins. For an
// engine that seals one job after another.
[[nodiscard]] inline const std::uint8_t* bring_front(const AeadJob& job) noexcept {
  if (job.front_length == 0) [[likely]]
    return job.in;
  std::uint8_t* const start = const_cast<std::uint8_t*>(job.in) - job.front_length;
  std::memcpy(start, job.front, job.front_length);
  return start;
}

// The same in the output, to be sealed in place: for an engine that seals several at once.
inline void join_front(AeadJob& job) noexcept {
  std::memcpy(job.out, job.front, job.front_length);
  std::memcpy(job.out + job.front_length, job.in, job.length - job.front_length);
  job.in = job.out;
  job.front_length = 0;
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
