#include "engine/aead/avx512/gcm_key.hpp"

#include "engine/aead/avx512/aes.hpp"
#include "engine/aead/avx512/ghash.hpp"

namespace ipop::engine::avx512 {
namespace {

// Each 32-bit word is the sum of itself and those before it.
[[gnu::always_inline]] inline Block running_sum(Block words) {
  words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
  return _mm_xor_si128(words, _mm_slli_si128(words, 8));
}

// FIPS 197 §5.2 for Nk = 8: four words at a time, each the sum of the one before it and the one
// eight before. The first of four adds a substituted word first; of every other four, rotated and
// with a round constant (which `kRound` is, or 0).
template <int kRound>
[[gnu::always_inline]] inline Block next_round_key(Block eight_before, Block before) {
  const Block assist = _mm_aeskeygenassist_si128(before, kRound);
  const Block word =
      kRound != 0 ? _mm_shuffle_epi32(assist, 0xff) : _mm_shuffle_epi32(assist, 0xaa);
  return _mm_xor_si128(running_sum(eight_before), word);
}

void expand_round_keys(const std::uint8_t* raw32, std::uint8_t* round_keys) noexcept {
  Block even = load_block(raw32);
  Block odd = load_block(raw32 + kBlockSize);
  store_block(round_keys, even);
  store_block(round_keys + kBlockSize, odd);
  each<7>([&](auto i) __attribute__((always_inline)) {
    constexpr int kPair = decltype(i)::value;
    std::uint8_t* const at = round_keys + (2 * kPair + 2) * static_cast<int>(kBlockSize);
    even = next_round_key<1 << kPair>(even, odd);
    store_block(at, even);
    if constexpr (kPair < 6) {
      odd = next_round_key<0>(odd, even);
      store_block(at + kBlockSize, odd);
    }
  });
}

[[gnu::always_inline]] inline Reg product(Reg a, Reg b) {
  return reduce(multiply(a, b));
}

// H multiplied by x: shifted up by one bit, and reduced without a branch by what fell off.
[[gnu::always_inline]] inline Block times_x(Block h) {
  const Block carry = _mm_srli_epi64(h, 63);
  const Block doubled = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(carry, 8));
  const Block fell_off = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carry, carry));
  const Block polynomial = _mm_set_epi64x(static_cast<long long>(0xc200000000000000), 1);
  return _mm_xor_si128(doubled, _mm_and_si128(fell_off, polynomial));
}

void expand_powers(const std::uint8_t* round_keys, std::uint8_t* powers) noexcept {
  const Block zero_encrypted = encrypt_block(_mm_setzero_si128(), round_keys);
  const Reg reversed = reverse_bytes(_mm512_zextsi128_si512(zero_encrypted));
  const Reg h = _mm512_broadcast_i32x4(times_x(first_block(reversed)));
  const Reg h2 = product(h, h);
  // Lanes H^2 H^1, then by H^2 H^2 1 1 to H^4 H^3 H^2 H^1.
  const Reg low = _mm512_mask_blend_epi64(0b00110011, h, h2);
  const Reg two = product(low, h2);
  Reg four = _mm512_mask_blend_epi64(0b00001111, low, two);
  const Reg h4 = _mm512_shuffle_i64x2(four, four, 0x00);
  std::uint8_t* at = powers + GcmKey::kPowers * kBlockSize;
  for (std::size_t done = 0; done < GcmKey::kPowers - 1; done += 4) {
    at -= kRegSize;
    store(at, four);
    four = product(four, h4);
  }
  // Of the next four, the lowest, which stands last.
  static_assert(GcmKey::kPowers % 4 == 1);
  store_block(at - kBlockSize, _mm512_extracti32x4_epi32(four, 3));
}

}  // namespace

void expand_gcm_key(const std::uint8_t* raw32, GcmKey& key) noexcept {
  expand_round_keys(raw32, key.round_keys);
  expand_powers(key.round_keys, key.powers);
}

}  // namespace ipop::engine::avx512
