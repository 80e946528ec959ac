#include "engine/aead/gcm/gcm_key.hpp"

#include <immintrin.h>

#include "engine/aead/gcm/each.hpp"

namespace ipop::engine::gcm {
namespace {

using Block = __m128i;
constexpr std::size_t kBlockSize = 16;

Block load_block(const std::uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}
void store_block(std::uint8_t* at, Block block) {
  _mm_storeu_si128(reinterpret_cast<Block*>(at), block);
}

// Each 32-bit word is the sum of itself and those before it.
Block running_sum(Block words) {
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
    std::uint8_t* const at = round_keys + (2 * kPair + 2) * kBlockSize;
    even = next_round_key<1 << kPair>(even, odd);
    store_block(at, even);
    if constexpr (kPair < 6) {
      odd = next_round_key<0>(odd, even);
      store_block(at + kBlockSize, odd);
    }
  });
}

// 0, encrypted.
Block hash_key(const std::uint8_t* round_keys) {
  Block block = load_block(round_keys);
  for (std::size_t round = 1; round < GcmKey::kRounds; ++round)
    block = _mm_aesenc_si128(block, load_block(round_keys + round * kBlockSize));
  return _mm_aesenclast_si128(block, load_block(round_keys + GcmKey::kRounds * kBlockSize));
}

// H multiplied by x: its bytes reversed, shifted up by one bit, and reduced without a branch by
// what fell off.
Block times_x(Block h) {
  h = _mm_shuffle_epi8(h, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const Block carry = _mm_srli_epi64(h, 63);
  const Block doubled = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(carry, 8));
  const Block fell_off = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carry, carry));
  const Block polynomial = _mm_set_epi64x(static_cast<long long>(0xc200000000000000), 1);
  return _mm_xor_si128(doubled, _mm_and_si128(fell_off, polynomial));
}

// As the kernels' ghash.hpp says: multiplied, then reduced Montgomery's way.
Block product(Block a, Block b) {
  const Block polynomial = _mm_set1_epi64x(static_cast<long long>(0xc200000000000000));
  const Block middle =
      _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
  Block low = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x00), _mm_slli_si128(middle, 8));
  const Block high = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x11), _mm_srli_si128(middle, 8));
  for (int half = 0; half < 2; ++half) {
    low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e), _mm_clmulepi64_si128(low, polynomial, 0x00));
  }
  return _mm_xor_si128(low, high);
}

void expand_powers(const std::uint8_t* round_keys, std::uint8_t* powers) noexcept {
  const auto at = [powers](std::size_t exponent) {
    return powers + (GcmKey::kPowers - exponent) * kBlockSize;
  };
  store_block(at(1), times_x(hash_key(round_keys)));
  // Of halves, so that products need not all wait for the one before.
  for (std::size_t exponent = 2; exponent <= GcmKey::kPowers; ++exponent) {
    const std::size_t half = exponent / 2;
    store_block(at(exponent), product(load_block(at(half)), load_block(at(exponent - half))));
  }
}

void add_halves(GcmKey& key) noexcept {
  for (std::size_t exponent = 1; exponent <= GcmKey::kHalfSums; ++exponent) {
    const Block power = load_block(powers_from(key, exponent));
    store_block(key.half_sums + (GcmKey::kHalfSums - exponent) * kBlockSize,
                _mm_xor_si128(power, _mm_shuffle_epi32(power, 0x4e)));
  }
}

}  // namespace

void expand_gcm_key(const std::uint8_t* raw32, GcmKey& key) noexcept {
  expand_round_keys(raw32, key.round_keys);
  expand_powers(key.round_keys, key.powers);
  add_halves(key);
}

}  // namespace ipop::engine::gcm
