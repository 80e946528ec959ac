// The key stream of ChaCha20 (RFC 8439 §2.3), sixteen blocks at once: a register holds one word of
// the state of every block, a lane for each. Any block of any packet may stand in any lane, so that
// packets of mixed lengths waste nothing; counters, nonces and keys may all differ by lane.
// Only for a source that is compiled for AVX-512; everything here has internal linkage.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/aead/avx512/unrolled.hpp"

namespace ipop::engine::avx512 {
namespace {

inline constexpr std::size_t kLanes = 16;
inline constexpr std::size_t kBlock = 64;

// The state before the rounds, word by word; after them all of it is added once more.
struct alignas(64) InitialState {
  std::uint32_t word[16][kLanes];
};

// What is done with the key stream of a lane: out = in xor stream, where the mask has a bit.
struct Lanes {
  const std::uint8_t* in[2 * kLanes];  // the second half: see BlockList::put_run
  std::uint8_t* out[2 * kLanes];
  alignas(64) std::uint64_t mask[kLanes];
};

// All sixteen lanes in a register of 512 bits, or the first eight of them in one of 256, which
// takes about half the time.
[[gnu::always_inline]] inline __m512i add(__m512i a, __m512i b) {
  return _mm512_add_epi32(a, b);
}
[[gnu::always_inline]] inline __m256i add(__m256i a, __m256i b) {
  return _mm256_add_epi32(a, b);
}
template <int kBits>
[[gnu::always_inline]] inline __m512i xor_rotate(__m512i a, __m512i b) {
  return _mm512_rol_epi32(_mm512_xor_si512(a, b), kBits);
}
template <int kBits>
[[gnu::always_inline]] inline __m256i xor_rotate(__m256i a, __m256i b) {
  return _mm256_rol_epi32(_mm256_xor_si256(a, b), kBits);
}
[[gnu::always_inline]] inline void load(__m512i& word, const std::uint32_t* lanes) {
  word = _mm512_load_si512(lanes);
}
[[gnu::always_inline]] inline void load(__m256i& word, const std::uint32_t* lanes) {
  word = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
}

// §2.1, on four words of the state.
template <int kA, int kB, int kC, int kD, class Word>
[[gnu::always_inline]] inline void quarter_round(Word (&v)[16]) {
  v[kA] = add(v[kA], v[kB]);
  v[kD] = xor_rotate<16>(v[kD], v[kA]);
  v[kC] = add(v[kC], v[kD]);
  v[kB] = xor_rotate<12>(v[kB], v[kC]);
  v[kA] = add(v[kA], v[kB]);
  v[kD] = xor_rotate<8>(v[kD], v[kA]);
  v[kC] = add(v[kC], v[kD]);
  v[kB] = xor_rotate<7>(v[kB], v[kC]);
}

template <class Word>
[[gnu::always_inline]] inline void double_round(Word (&v)[16]) {
  quarter_round<0, 4, 8, 12>(v);
  quarter_round<1, 5, 9, 13>(v);
  quarter_round<2, 6, 10, 14>(v);
  quarter_round<3, 7, 11, 15>(v);
  quarter_round<0, 5, 10, 15>(v);
  quarter_round<1, 6, 11, 12>(v);
  quarter_round<2, 7, 8, 13>(v);
  quarter_round<3, 4, 9, 14>(v);
}

[[gnu::always_inline]] inline void apply(const Lanes& lanes, int i, __m512i stream) {
  const __m512i text = _mm512_maskz_loadu_epi8(lanes.mask[i], lanes.in[i]);
  _mm512_mask_storeu_epi8(lanes.out[i], lanes.mask[i], _mm512_xor_si512(text, stream));
}

// 4x4 words in each 128 bits: from four words of some lanes to those lanes' rows of four words.
[[gnu::always_inline]] inline void transpose_words(__m512i a, __m512i b, __m512i c, __m512i d,
                                                   __m512i (&rows)[4]) {
  const __m512i low_ab = _mm512_unpacklo_epi32(a, b);
  const __m512i high_ab = _mm512_unpackhi_epi32(a, b);
  const __m512i low_cd = _mm512_unpacklo_epi32(c, d);
  const __m512i high_cd = _mm512_unpackhi_epi32(c, d);
  rows[0] = _mm512_unpacklo_epi64(low_ab, low_cd);
  rows[1] = _mm512_unpackhi_epi64(low_ab, low_cd);
  rows[2] = _mm512_unpacklo_epi64(high_ab, high_cd);
  rows[3] = _mm512_unpackhi_epi64(high_ab, high_cd);
}

// quarter[q][i] is quarter q of the blocks of lanes i, i + 4, i + 8 and i + 12.
[[gnu::always_inline]] inline void apply_all(const __m512i (&v)[16], const Lanes& lanes) {
  __m512i quarter[4][4];
  unrolled<4>([&](auto q) {
    transpose_words(v[4 * q], v[4 * q + 1], v[4 * q + 2], v[4 * q + 3], quarter[q]);
  });
  unrolled<4>([&](auto i) {
    const __m512i low_front = _mm512_shuffle_i32x4(quarter[0][i], quarter[1][i], 0x44);
    const __m512i low_back = _mm512_shuffle_i32x4(quarter[2][i], quarter[3][i], 0x44);
    const __m512i high_front = _mm512_shuffle_i32x4(quarter[0][i], quarter[1][i], 0xee);
    const __m512i high_back = _mm512_shuffle_i32x4(quarter[2][i], quarter[3][i], 0xee);
    apply(lanes, i, _mm512_shuffle_i32x4(low_front, low_back, 0x88));
    apply(lanes, i + 4, _mm512_shuffle_i32x4(low_front, low_back, 0xdd));
    apply(lanes, i + 8, _mm512_shuffle_i32x4(high_front, high_back, 0x88));
    apply(lanes, i + 12, _mm512_shuffle_i32x4(high_front, high_back, 0xdd));
  });
}

// Of eight lanes, words w and w + 8 share a register: half[q][i] is quarters q and q + 2 of the
// blocks of lanes i and i + 4, in the order q, q, q + 2, q + 2.
[[gnu::always_inline]] inline void apply_all(const __m256i (&v)[16], const Lanes& lanes) {
  __m512i half[2][4];
  unrolled<2>([&](auto q) {
    __m512i word[4];
    unrolled<4>([&](auto i) {
      word[i] = _mm512_inserti64x4(_mm512_castsi256_si512(v[4 * q + i]), v[4 * q + i + 8], 1);
    });
    transpose_words(word[0], word[1], word[2], word[3], half[q]);
  });
  unrolled<4>([&](auto i) {
    const __m512i low = _mm512_shuffle_i32x4(half[0][i], half[1][i], 0x88);
    const __m512i high = _mm512_shuffle_i32x4(half[0][i], half[1][i], 0xdd);
    apply(lanes, i, _mm512_shuffle_i32x4(low, low, 0xd8));
    apply(lanes, i + 4, _mm512_shuffle_i32x4(high, high, 0xd8));
  });
}

// Word is __m512i for all lanes, __m256i for the first eight.
template <class Word>
[[gnu::always_inline]] inline void crypt(const InitialState& initial, const Lanes& lanes) {
  Word v[16];
  unrolled<16>([&](auto i) { load(v[i], initial.word[i]); });
  for (int i = 0; i < 5; ++i) {
    double_round(v);
    double_round(v);
  }
  unrolled<16>([&](auto i) {
    Word before;
    load(before, initial.word[i]);
    v[i] = add(v[i], before);
  });
  apply_all(v, lanes);
}

}  // namespace
}  // namespace ipop::engine::avx512
