// The 256-bit registers of the kernels: two AES blocks each. There are sixteen of them and no byte
// masks; the ends of texts are the matter of tails.hpp. Everything is inlined by force: nothing
// that was compiled for VAES may become a symbol that other code could be linked to.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/aead/gcm/constant_time.hpp"
#include "engine/aead/gcm/each.hpp"

namespace ipop::engine::vaes256 {

using Reg = __m256i;    // two blocks
using Block = __m128i;  // one

constexpr std::size_t kRegSize = 32;
constexpr std::size_t kBlockSize = 16;

[[gnu::always_inline]] inline Block load_block(const std::uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}
[[gnu::always_inline]] inline void store_block(std::uint8_t* at, Block block) {
  _mm_storeu_si128(reinterpret_cast<Block*>(at), block);
}
[[gnu::always_inline]] inline Reg load(const std::uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const Reg*>(at));
}
[[gnu::always_inline]] inline void store(std::uint8_t* at, Reg value) {
  _mm256_storeu_si256(reinterpret_cast<Reg*>(at), value);
}
// One block, twice.
[[gnu::always_inline]] inline Reg broadcast(const std::uint8_t* at) {
  return _mm256_broadcastsi128_si256(load_block(at));
}
[[gnu::always_inline]] inline Reg join(Block first, Block second) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
}
[[gnu::always_inline]] inline Block first_block(Reg value) {
  return _mm256_castsi256_si128(value);
}
[[gnu::always_inline]] inline Block second_block(Reg value) {
  return _mm256_extracti128_si256(value, 1);
}
[[gnu::always_inline]] inline Reg exclusive_or(Reg a, Reg b) {
  return _mm256_xor_si256(a, b);
}

// Says that the value is used here. Without it compilers move what is needed late to where it is
// needed, and the rounds of AES that were written side by side end up one after another.
template <typename Value>
[[gnu::always_inline]] inline void compute_here([[maybe_unused]] Value& value) {
#ifndef IPOP_SECRETS_ARE_MARKED
  asm volatile("" : "+x"(value));
#endif
}

}  // namespace ipop::engine::vaes256
