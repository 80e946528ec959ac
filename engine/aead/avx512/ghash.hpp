// GHASH (SP 800-38D §6.4) by carry-less multiplication of four blocks at a time.
//
// GHASH numbers the bits of a block from its first byte's highest; with the bytes reversed they
// stand in a register like the bits of an integer that is read backwards. The carry-less product of
// two such integers is the reversed product shifted down by one bit; a key whose H was multiplied
// by x makes up for it, once and for all (RFC 8452 appendix A shows that GHASH is POLYVAL of
// reversed bytes with such a key). So, of reversed blocks a and b, product(a, b) here is
// a·b·x^-128 modulo x^128 + x^127 + x^126 + x^121 + 1, and H^n means n such factors.
//
// The hash of blocks X1 .. Xn and the length block L is X1·H^(n+1) + .. + Xn·H^2 + L·H. With the
// powers stored from the highest down, four blocks in a row meet four powers in a row, so that one
// load brings them, and however long the text is, its last block meets H^2. The products are summed
// unreduced; what has to be reduced is the sum alone.
#pragma once

#include "engine/aead/avx512/registers.hpp"
#include "engine/aead/gcm/gcm_key.hpp"

namespace ipop::engine::avx512 {

// Of four products each: 256 bits in halves, of which the middle one still has to be split
// between them.
struct Sums {
  Reg low;
  Reg middle;
  Reg high;
};

[[gnu::always_inline]] inline Sums no_sums() {
  return {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
}

alignas(16) constexpr std::uint8_t kReversal[16] = {15, 14, 13, 12, 11, 10, 9, 8,
                                                    7,  6,  5,  4,  3,  2,  1, 0};

[[gnu::always_inline]] inline Reg reverse_bytes(Reg blocks) {
  return _mm512_shuffle_epi8(blocks, broadcast(kReversal));
}

// Four products, in the sums' form. Four multiplications of 64 bits each; three (Karatsuba's way)
// would need another table of as many bytes, and gain 1 % at 1400 bytes.
[[gnu::always_inline]] inline Sums multiply(Reg reversed, Reg powers) {
  return {_mm512_clmulepi64_epi128(reversed, powers, 0x00),
          exclusive_or(_mm512_clmulepi64_epi128(reversed, powers, 0x01),
                       _mm512_clmulepi64_epi128(reversed, powers, 0x10)),
          _mm512_clmulepi64_epi128(reversed, powers, 0x11)};
}
[[gnu::always_inline]] inline void multiply_add(Sums& sums, Reg reversed, Reg powers) {
  sums.low = exclusive_or(sums.low, _mm512_clmulepi64_epi128(reversed, powers, 0x00));
  sums.middle = exclusive_or(sums.middle, _mm512_clmulepi64_epi128(reversed, powers, 0x01),
                             _mm512_clmulepi64_epi128(reversed, powers, 0x10));
  sums.high = exclusive_or(sums.high, _mm512_clmulepi64_epi128(reversed, powers, 0x11));
}

// Adds L·H, in each lane by itself. A length block has but the number of the text's bits, in its
// low half; `bytes` has the length there, and zero in the high half.
[[gnu::always_inline]] inline void add_length(Sums& sums, Reg bytes, Reg h) {
  const Reg bits = _mm512_slli_epi64(bytes, 3);
  sums.low = exclusive_or(sums.low, _mm512_clmulepi64_epi128(bits, h, 0x00));
  sums.middle = exclusive_or(sums.middle, _mm512_clmulepi64_epi128(bits, h, 0x10));
}

// The reduction, of each lane by itself. The middle is split between the halves; then, twice, the
// lowest 64 bits are made zero by adding a multiple of the polynomial and so shifted out
// (Montgomery's way): the polynomial ends in 1, so the multiple is those 64 bits themselves, and of
// the product only that with x^127 + x^126 + x^121 shows above them: 0xc2 << 56.
[[gnu::always_inline]] inline Reg reduce(const Sums& sums) {
  const Reg polynomial = _mm512_set1_epi64(static_cast<long long>(0xc200000000000000));
  Reg low = exclusive_or(sums.low, _mm512_bslli_epi128(sums.middle, 8));
  low = exclusive_or(_mm512_shuffle_epi32(low, _MM_PERM_BADC),
                     _mm512_clmulepi64_epi128(low, polynomial, 0x00));
  low = exclusive_or(_mm512_shuffle_epi32(low, _MM_PERM_BADC),
                     _mm512_clmulepi64_epi128(low, polynomial, 0x00),
                     _mm512_bsrli_epi128(sums.middle, 8));
  return exclusive_or(low, sums.high);
}

// The sum of the four lanes, in the first one; zero in the others.
[[gnu::always_inline]] inline Reg fold(Reg value) {
  const __m256i half =
      _mm256_xor_si256(_mm512_castsi512_si256(value), _mm512_extracti64x4_epi64(value, 1));
  return _mm512_zextsi128_si512(
      _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}
// The sums of four registers' lanes, one in each lane.
[[gnu::always_inline]] inline Reg fold(Reg a, Reg b, Reg c, Reg d) {
  const Reg ab = exclusive_or(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xee));
  const Reg cd = exclusive_or(_mm512_shuffle_i64x2(c, d, 0x44), _mm512_shuffle_i64x2(c, d, 0xee));
  return exclusive_or(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xdd));
}

// Of one packet, in the first lane; of four packets, one in each.
[[gnu::always_inline]] inline Sums fold(const Sums& sums) {
  return {fold(sums.low), fold(sums.middle), fold(sums.high)};
}
[[gnu::always_inline]] inline Sums fold(const Sums& a, const Sums& b, const Sums& c,
                                        const Sums& d) {
  return {fold(a.low, b.low, c.low, d.low), fold(a.middle, b.middle, c.middle, d.middle),
          fold(a.high, b.high, c.high, d.high)};
}

}  // namespace ipop::engine::avx512
