// The 512-bit registers of the kernels: four AES blocks each, moved between memory and registers
// through intrinsics that need no alignment. Everything is inlined by force: nothing that was
// compiled for AVX-512 may become a symbol that other code could be linked to.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/aead/gcm/constant_time.hpp"
#include "engine/aead/gcm/each.hpp"

namespace ipop::engine::avx512 {

using Reg = __m512i;    // four blocks
using Block = __m128i;  // one

constexpr std::size_t kRegSize = 64;
constexpr std::size_t kBlockSize = 16;

[[gnu::always_inline]] inline Block load_block(const std::uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}
[[gnu::always_inline]] inline void store_block(std::uint8_t* at, Block block) {
  _mm_storeu_si128(reinterpret_cast<Block*>(at), block);
}
[[gnu::always_inline]] inline Reg load(const std::uint8_t* at) {
  return _mm512_loadu_si512(at);
}
[[gnu::always_inline]] inline void store(std::uint8_t* at, Reg value) {
  _mm512_storeu_si512(at, value);
}
// One block, four times.
[[gnu::always_inline]] inline Reg broadcast(const std::uint8_t* at) {
  return _mm512_broadcast_i32x4(load_block(at));
}
[[gnu::always_inline]] inline Block first_block(Reg value) {
  return _mm512_castsi512_si128(value);
}

// Bits of the first `count` bytes of a register. Of more than 64 all are set, of more than 255 not:
// the instruction looks at the lowest byte of its number alone.
[[gnu::always_inline]] inline __mmask64 first_bytes(std::size_t count) {
  return _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count));
}
// Bytes outside the mask are zero, and not read: they may lie on a page that is not there.
[[gnu::always_inline]] inline Reg load_masked(__mmask64 mask, const std::uint8_t* at) {
  return _mm512_maskz_loadu_epi8(mask, at);
}
[[gnu::always_inline]] inline void store_masked(std::uint8_t* at, __mmask64 mask, Reg value) {
  _mm512_mask_storeu_epi8(at, mask, value);
}

[[gnu::always_inline]] inline Reg exclusive_or(Reg a, Reg b) {
  return _mm512_xor_si512(a, b);
}
// Of three values in one instruction: 0x96 is the truth table of a ^ b ^ c.
[[gnu::always_inline]] inline Reg exclusive_or(Reg a, Reg b, Reg c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

// `others`, with what `value` has in the bits of `where`, which are zero in `others`: others |
// (value & where) in one instruction.
[[gnu::always_inline]] inline Reg put(Reg others, Reg value, Reg where) {
  return _mm512_ternarylogic_epi64(others, value, where, 0xf8);
}

// Says that the value is used here. Without it clang moves what is needed late to where it is
// needed, and the rounds of AES that were written side by side end up one after another.
template <typename Value>
[[gnu::always_inline]] inline void compute_here([[maybe_unused]] Value& value) {
#ifndef IPOP_SECRETS_ARE_MARKED
  asm volatile("" : "+v"(value));
#endif
}

}  // namespace ipop::engine::avx512
