// AES-256 in counter mode (FIPS 197, SP 800-38D §6.5) on registers of two blocks. Round keys are
// broadcast from the key each time they are used: a load beside eight rounds costs nothing, and
// keys held in registers would leave none for the text.
#pragma once

#include "engine/aead/gcm/block_numbers.hpp"
#include "engine/aead/gcm/gcm_key.hpp"
#include "engine/aead/vaes256/registers.hpp"

namespace ipop::engine::vaes256 {

using gcm::GcmKey;
using gcm::kBlockNumbers;
using gcm::round_key;

constexpr int kRounds = GcmKey::kRounds;

[[gnu::always_inline]] inline Block encrypt_block(Block block, const GcmKey& key) {
  block = _mm_xor_si128(block, load_block(round_key(key, 0)));
  each<kRounds - 1>([&](auto i) __attribute__((always_inline)) {
    block = _mm_aesenc_si128(block, load_block(round_key(key, decltype(i)::value + 1)));
  });
  return _mm_aesenclast_si128(block, load_block(round_key(key, kRounds)));
}

// A counter block without its number, twice: the key's salt, the datagram's counter in little
// endian, four zero bytes.
[[gnu::always_inline]] inline Reg nonce_blocks(std::uint32_t salt, std::uint64_t counter) {
  const Reg counters = _mm256_set1_epi64x(static_cast<long long>(counter));
  const Reg order = _mm256_broadcastsi128_si256(
      _mm_set_epi8(-1, -1, -1, -1, 7, 6, 5, 4, 3, 2, 1, 0, -1, -1, -1, -1));
  const Reg salts = _mm256_broadcastsi128_si256(_mm_cvtsi32_si128(static_cast<int>(salt)));
  return _mm256_or_si256(_mm256_shuffle_epi8(counters, order), salts);
}

// The number of J0, and of nothing else.
[[gnu::always_inline]] inline Block packet_number() {
  return _mm_set_epi32(1 << 24, 0, 0, 0);
}

// The numbers of the register of text that begins at `offset`, a multiple of 32, to be added to
// nonce_blocks().
[[gnu::always_inline]] inline Reg known_numbers(std::size_t offset) {
  return _mm256_load_si256(reinterpret_cast<const Reg*>(kBlockNumbers.words + offset / 4));
}
// The same wherever it is: the number is counted in 32 bits and its bytes are reversed.
[[gnu::always_inline]] inline Reg any_numbers(std::size_t offset) {
  const auto number = static_cast<int>(2 + offset / kBlockSize);
  const Reg numbers =
      _mm256_add_epi32(_mm256_set1_epi32(number), _mm256_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1));
  const Reg order = _mm256_broadcastsi128_si256(
      _mm_set_epi8(12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  return _mm256_shuffle_epi8(numbers, order);
}

// The last round, and the text: both are additions, so the text is added to the round key.
[[gnu::always_inline]] inline Reg end_rounds(Reg state, Reg last_key, Reg text) {
  return _mm256_aesenclast_epi128(state, exclusive_or(last_key, text));
}

}  // namespace ipop::engine::vaes256
