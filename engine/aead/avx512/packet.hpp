// What the shapes of the AES-256-GCM kernel share of a packet: its key, its text with or without a
// front, its tag.
#pragma once

#include "engine/aead/aead.hpp"
#include "engine/aead/avx512/aes.hpp"
#include "engine/aead/avx512/ghash.hpp"

namespace ipop::engine::avx512 {

using gcm::key_of;
using gcm::last_powers;
using gcm::powers_from;

// Registers of text, and no less than one.
[[gnu::always_inline]] inline std::size_t registers_of(std::size_t length) {
  return length == 0 ? 1 : (length + kRegSize - 1) / kRegSize;
}

[[gnu::always_inline]] inline __mmask64 first_bytes_of_many(std::size_t count) {
  return first_bytes(count < kRegSize ? count : kRegSize);
}

// A text with a front in one piece, as far as its first `size` bytes, where the ciphertext will be.
// Nothing is written in front of `in`.
[[gnu::always_inline]] inline void join_front(const AeadJob& job, std::size_t size) {
  const std::uint8_t* const behind = job.in - job.front_length;
  for (std::size_t at = 0; at < size; at += kRegSize) {
    const __mmask64 text = first_bytes_of_many(size - at);
    const __mmask64 front = at < job.front_length ? first_bytes_of_many(job.front_length - at) : 0;
    const Reg bytes = load_masked(text & front, job.front + at);
    store_masked(job.out + at, text, _mm512_mask_loadu_epi8(bytes, text & ~front, behind + at));
  }
}
// All of it: then it is a text like any other.
[[gnu::always_inline]] inline void join_front(AeadJob& job) {
  join_front(job, job.length);
  job.in = job.out;
  job.front_length = 0;
}

// The tag: written behind the ciphertext, or compared with what stands there, without a branch
// before all of it was.
template <bool kSeal>
[[gnu::always_inline]] inline void finish(AeadJob& job, Block tag) {
  if constexpr (kSeal) {
    store_block(job.out + job.length, tag);
    job.ok = true;
  } else {
    Block difference = _mm_xor_si128(tag, load_block(job.in + job.length));
    make_public(difference);
    job.ok = _mm_testz_si128(difference, difference) != 0;
  }
}

}  // namespace ipop::engine::avx512
