// The key stream of ChaCha20 (RFC 8439 §2.3), up to eight blocks at once, and what it is for: a
// register holds one row of the state of two blocks, so that any two blocks of any packets, keys
// and counters stand side by side, and the stream comes out in the order of the text.
// Only for a source that is compiled for AVX2; everything here has internal linkage.
#pragma once

#include <immintrin.h>

#include "engine/aead/chacha256/poly1305.hpp"
#include "engine/aead/gcm/each.hpp"

namespace ipop::engine::chacha256 {
namespace {

inline constexpr std::size_t kBlock = 64;
inline constexpr std::size_t kBlocks = 8;

// What is done in one go: out = in xor stream.
struct Pass {
  alignas(32) std::uint32_t last_row[kBlocks][4];  // the block's number and the nonce
  const std::uint8_t* key[kBlocks];
  const std::uint8_t* in[kBlocks];
  std::uint8_t* out[kBlocks];
  std::size_t size[kBlocks];
  alignas(32) std::uint8_t joined[kBlocks][kBlock];  // text that does not lie in one piece
  std::size_t used = 0;
};

// Of two blocks, the four rows.
struct Pair {
  __m256i row[4];
};

[[gnu::always_inline]] inline __m256i both(const std::uint8_t* low, const std::uint8_t* high) {
  const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
}

[[gnu::always_inline]] inline Pair initial(const Pass& pass, int pair) {
  const std::uint8_t* const low = pass.key[2 * pair];
  const std::uint8_t* const high = pass.key[2 * pair + 1];
  return {{_mm256_setr_epi32(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x61707865, 0x3320646e,
                             0x79622d32, 0x6b206574),
           both(low, high), both(low + 16, high + 16),
           _mm256_load_si256(reinterpret_cast<const __m256i*>(pass.last_row[2 * pair]))}};
}

template <int kBits>
[[gnu::always_inline]] inline __m256i rotated(__m256i a) {
  if constexpr (kBits == 16) {
    return _mm256_shuffle_epi8(
        a, _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7,
                            4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  } else if constexpr (kBits == 8) {
    return _mm256_shuffle_epi8(
        a, _mm256_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14, 3, 0, 1, 2, 7, 4,
                            5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
  } else {
    return _mm256_or_si256(_mm256_slli_epi32(a, kBits), _mm256_srli_epi32(a, 32 - kBits));
  }
}

// One line of §2.1: to += by; changed = (changed xor to) <<< kBits, in all columns of all pairs.
template <int kPairs, int kTo, int kBy, int kChanged, int kBits>
[[gnu::always_inline]] inline void line(Pair (&v)[kPairs]) {
  each<kPairs>([&](auto i) {
    auto& row = v[decltype(i)::value].row;
    row[kTo] = _mm256_add_epi32(row[kTo], row[kBy]);
    row[kChanged] = rotated<kBits>(_mm256_xor_si256(row[kChanged], row[kTo]));
  });
}

// The tags of two packets go on between the lines, which leave the integer units idle: all four at
// the end of a double round would wait until the vector units have taken what stands before.
template <int kFirstLane, int kPairs>
[[gnu::always_inline]] inline void quarter_rounds(Pair (&v)[kPairs], Authenticator& beside) {
  line<kPairs, 0, 1, 3, 16>(v);
  line<kPairs, 2, 3, 1, 12>(v);
  beside.step_one<kFirstLane>();
  line<kPairs, 0, 1, 3, 8>(v);
  line<kPairs, 2, 3, 1, 7>(v);
  beside.step_one<kFirstLane + 1>();
}

// Rows move so that diagonals become columns: by their number, but with row 1 where it is, as the
// round ends with it.
template <int kPairs, int kFirst, int kThird>
[[gnu::always_inline]] inline void shift_rows(Pair (&v)[kPairs]) {
  each<kPairs>([&](auto i) {
    auto& row = v[decltype(i)::value].row;
    row[0] = _mm256_shuffle_epi32(row[0], kFirst);
    row[2] = _mm256_shuffle_epi32(row[2], kThird);
    row[3] = _mm256_shuffle_epi32(row[3], 0x4e);
  });
}

template <int kPairs>
[[gnu::always_inline]] inline void double_round(Pair (&v)[kPairs], Authenticator& beside) {
  quarter_rounds<0>(v, beside);
  shift_rows<kPairs, 0x93, 0x39>(v);
  quarter_rounds<2>(v, beside);
  shift_rows<kPairs, 0x39, 0x93>(v);
}

[[gnu::always_inline]] inline void xor_whole(const std::uint8_t* in, std::uint8_t* out,
                                             __m256i front, __m256i back) {
  const auto* const from = reinterpret_cast<const __m256i*>(in);
  auto* const to = reinterpret_cast<__m256i*>(out);
  const __m256i text = _mm256_loadu_si256(from + 1);
  _mm256_storeu_si256(to, _mm256_xor_si256(_mm256_loadu_si256(from), front));
  _mm256_storeu_si256(to + 1, _mm256_xor_si256(text, back));
}

[[gnu::always_inline]] inline void apply(const Pass& pass, int block, __m256i front, __m256i back) {
  const std::size_t size = pass.size[block];
  if (size == kBlock) [[likely]] {
    xor_whole(pass.in[block], pass.out[block], front, back);
    return;
  }
  alignas(32) std::uint8_t text[kBlock];
  _mm256_store_si256(reinterpret_cast<__m256i*>(text), _mm256_setzero_si256());
  _mm256_store_si256(reinterpret_cast<__m256i*>(text) + 1, _mm256_setzero_si256());
  copy_below<kBlock>(text, pass.in[block], size);
  xor_whole(text, text, front, back);
  copy_below<kBlock>(pass.out[block], text, size);
}

// While the vector units are at it, the integer units authenticate.
template <int kPairs>
[[gnu::noinline]] void crypt(const Pass& pass, Authenticator& beside) {
  Pair v[kPairs];
  each<kPairs>([&](auto i) { v[decltype(i)::value] = initial(pass, decltype(i)::value); });
  for (int i = 0; i < 10; ++i) {
    double_round<kPairs>(v, beside);
  }
  each<kPairs>([&](auto i) {
    constexpr int kPair = decltype(i)::value;
    const Pair before = initial(pass, kPair);
    auto& row = v[kPair].row;
    each<4>([&](auto at) {
      constexpr int kAt = decltype(at)::value;
      row[kAt] = _mm256_add_epi32(row[kAt], before.row[kAt]);
    });
    apply(pass, 2 * kPair, _mm256_permute2x128_si256(row[0], row[1], 0x20),
          _mm256_permute2x128_si256(row[2], row[3], 0x20));
    apply(pass, 2 * kPair + 1, _mm256_permute2x128_si256(row[0], row[1], 0x31),
          _mm256_permute2x128_si256(row[2], row[3], 0x31));
  });
}

[[gnu::always_inline]] inline void crypt_pass(Pass& pass, Authenticator& beside) {
  if (pass.used % 2 != 0) {
    pass.key[pass.used] = pass.key[0];
    pass.size[pass.used] = 0;
  }
  switch ((pass.used + 1) / 2) {
    case 1:
      return crypt<1>(pass, beside);
    case 2:
      return crypt<2>(pass, beside);
    case 3:
      return crypt<3>(pass, beside);
    default:
      return crypt<4>(pass, beside);
  }
}

}  // namespace
}  // namespace ipop::engine::chacha256
