// AES-256 in counter mode (FIPS 197, SP 800-38D §6.5) on registers of four blocks. Round keys are
// broadcast from the key each time they are used: a load beside eight rounds costs nothing, keys
// held in registers would leave too few for the text, and packets with keys of their own are then
// no special case.
#pragma once

#include "engine/aead/avx512/registers.hpp"
#include "engine/aead/gcm/block_numbers.hpp"
#include "engine/aead/gcm/gcm_key.hpp"

namespace ipop::engine::avx512 {

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

// The first word of each lane.
constexpr std::uint32_t kAll = ~std::uint32_t{0};
alignas(64) constexpr std::uint32_t kFirstWords[16] = {kAll, 0, 0, 0, kAll, 0, 0, 0,
                                                       kAll, 0, 0, 0, kAll, 0, 0, 0};

// A counter block without its number, four times: the key's salt, the datagram's counter in little
// endian, four zero bytes.
[[gnu::always_inline]] inline Reg nonce_blocks(std::uint32_t salt, std::uint64_t counter) {
  const Reg words = _mm512_set1_epi64(static_cast<long long>(counter));
  // Each lane holds the words low, high, low, high, and shall hold 0, low, high, 0.
  const Reg blocks = _mm512_maskz_shuffle_epi32(0x6666, words, static_cast<_MM_PERM_ENUM>(0x10));
  return put(blocks, _mm512_set1_epi32(static_cast<int>(salt)), _mm512_load_si512(kFirstWords));
}

// J0 of SP 800-38D §7.1, four times.
[[gnu::always_inline]] inline Reg packet_blocks(Reg nonce) {
  return _mm512_or_si512(nonce, _mm512_setr4_epi32(0, 0, 0, 1 << 24));
}

// Of the register of text that begins at `offset`, a multiple of 64.
[[gnu::always_inline]] inline Reg known_counter_blocks(Reg nonce, std::size_t offset) {
  return _mm512_or_si512(nonce, _mm512_load_si512(kBlockNumbers.words + offset / 4));
}
// The same wherever it is: the number is counted in 32 bits and its bytes are reversed.
[[gnu::always_inline]] inline Reg counter_blocks(Reg nonce, std::size_t offset) {
  const auto number = static_cast<int>(2 + offset / kBlockSize);
  const Reg numbers = _mm512_add_epi32(
      _mm512_set1_epi32(number), _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3));
  const Reg order = _mm512_set1_epi64(0x0c0d0e0f'00000000);
  return _mm512_mask_shuffle_epi8(nonce, 0xf000f000f000f000, numbers, order);
}

// The last round, and the text: both are additions, so the text is added to the round key.
[[gnu::always_inline]] inline Reg end_rounds(Reg state, Reg last_key, Reg text) {
  return _mm512_aesenclast_epi128(state, exclusive_or(last_key, text));
}

}  // namespace ipop::engine::avx512
