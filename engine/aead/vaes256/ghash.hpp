// GHASH (SP 800-38D §6.4) by carry-less multiplication of two blocks at a time, in the form that
// avx512/ghash.hpp derives: blocks with their bytes reversed, a key that was multiplied by x,
// powers stored from the highest down, products summed unreduced.
#pragma once

#include "engine/aead/gcm/gcm_key.hpp"
#include "engine/aead/vaes256/registers.hpp"

namespace ipop::engine::vaes256 {

using gcm::GcmKey;

// Of two products each: 256 bits in halves, and a middle that has both of them in it and still has
// to be split between them.
struct Sums {
  Reg low;
  Reg middle;
  Reg high;
};

[[gnu::always_inline]] inline void compute_here(Sums& sums) {
  compute_here(sums.low);
  compute_here(sums.middle);
  compute_here(sums.high);
}
[[gnu::always_inline]] inline Sums no_sums() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
}

[[gnu::always_inline]] inline Reg reverse_bytes(Reg blocks) {
  return _mm256_shuffle_epi8(blocks, _mm256_broadcastsi128_si256(_mm_set_epi8(
                                         0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

// From a power to the sum of its halves.
constexpr std::size_t kHalfSum =
    offsetof(GcmKey, half_sums) - (GcmKey::kPowers - GcmKey::kHalfSums) * kBlockSize;

// Two products in the sums' form, by three multiplications of 64 bits (Karatsuba's way): that of
// the sums of the halves has the middle, with low and high in it. Four take 8 % more at 1400 bytes.
[[gnu::always_inline]] inline Sums multiply(Reg reversed, const std::uint8_t* powers) {
  const Reg these = load(powers);
  const Reg halves = exclusive_or(reversed, _mm256_shuffle_epi32(reversed, 0x4e));
  return {_mm256_clmulepi64_epi128(reversed, these, 0x00),
          _mm256_clmulepi64_epi128(halves, load(powers + kHalfSum), 0x00),
          _mm256_clmulepi64_epi128(reversed, these, 0x11)};
}
[[gnu::always_inline]] inline void add(Sums& sums, const Sums& others) {
  sums.low = exclusive_or(sums.low, others.low);
  sums.middle = exclusive_or(sums.middle, others.middle);
  sums.high = exclusive_or(sums.high, others.high);
}
[[gnu::always_inline]] inline void multiply_add(Sums& sums, Reg reversed,
                                                const std::uint8_t* powers) {
  add(sums, multiply(reversed, powers));
}

// Adds L·H, in each lane by itself. A length block has but the number of the text's bits, in its
// low half; `bytes` has the length there, and zero in the high half.
[[gnu::always_inline]] inline void add_length(Sums& sums, Reg bytes, Reg h, Reg half_sum) {
  const Reg bits = _mm256_slli_epi64(bytes, 3);
  sums.low = exclusive_or(sums.low, _mm256_clmulepi64_epi128(bits, h, 0x00));
  sums.middle = exclusive_or(sums.middle, _mm256_clmulepi64_epi128(bits, half_sum, 0x00));
}

// The reduction, of each lane by itself; avx512/ghash.hpp says why this is one.
[[gnu::always_inline]] inline Reg reduce(const Sums& sums) {
  const Reg polynomial = _mm256_set1_epi64x(static_cast<long long>(0xc200000000000000));
  const Reg middle = exclusive_or(sums.middle, exclusive_or(sums.low, sums.high));
  Reg low = exclusive_or(sums.low, _mm256_bslli_epi128(middle, 8));
  low = exclusive_or(_mm256_shuffle_epi32(low, 0x4e),
                     _mm256_clmulepi64_epi128(low, polynomial, 0x00));
  low = exclusive_or(_mm256_shuffle_epi32(low, 0x4e),
                     _mm256_clmulepi64_epi128(low, polynomial, 0x00));
  return exclusive_or(exclusive_or(low, _mm256_bsrli_epi128(middle, 8)), sums.high);
}

// The sums of two registers' lanes, one in each lane.
[[gnu::always_inline]] inline Reg fold(Reg a, Reg b) {
  return exclusive_or(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}
// The sum of the two lanes, in the first one; zero in the other.
[[gnu::always_inline]] inline Reg fold(Reg value) {
  return _mm256_zextsi128_si256(_mm_xor_si128(first_block(value), second_block(value)));
}
// Of one packet, in the first lane; of two packets, one in each.
[[gnu::always_inline]] inline Sums fold(const Sums& sums) {
  return {fold(sums.low), fold(sums.middle), fold(sums.high)};
}
[[gnu::always_inline]] inline Sums fold(const Sums& a, const Sums& b) {
  return {fold(a.low, b.low), fold(a.middle, b.middle), fold(a.high, b.high)};
}

}  // namespace ipop::engine::vaes256
