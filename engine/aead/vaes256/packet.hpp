// What the shapes of the AES-256-GCM kernel share of a packet: its text with or without a front,
// its tag.
#pragma once

#include "engine/aead/vaes256/aes.hpp"
#include "engine/aead/vaes256/ghash.hpp"
#include "engine/aead/vaes256/tails.hpp"

namespace ipop::engine::vaes256 {

using gcm::key_of;
using gcm::last_powers;
using gcm::powers_from;

// Registers of text, and no less than one.
[[gnu::always_inline]] inline std::size_t registers_of(std::size_t length) {
  return length == 0 ? 1 : (length + kRegSize - 1) / kRegSize;
}

// A text with a front in one piece, as far as its first `size` bytes, where the ciphertext will be.
// Nothing is written in front of `in`.
[[gnu::always_inline]] inline void join_front(const AeadJob& job, std::size_t size) {
  std::memcpy(job.out, job.front, job.front_length);
  std::memcpy(job.out + job.front_length, job.in, size - job.front_length);
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

}  // namespace ipop::engine::vaes256
