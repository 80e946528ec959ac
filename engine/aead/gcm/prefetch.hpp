// Brings the text of a packet, where it goes to, and the part of a key that it needs, into the
// cache while others are worked on. At 1400 bytes out of place it gains a fifth where buffers are
// many; keys gain 3 to 5 ns a packet where each of 1,000 peers has one.
#pragma once

#include "engine/aead/gcm/gcm_key.hpp"

namespace ipop::engine::gcm {

// How many jobs ahead: of a short one, of a long one.
constexpr std::size_t kShortAhead = 8;
constexpr std::size_t kLongAhead = 2;
// Behind so many bytes the processor has seen by itself where it goes. Asking for more costs as
// much as it gains where buffers are far, and 3 % (20 ns with 1,000 keys) where they are near.
constexpr std::size_t kMostPrefetched = 512;
constexpr std::size_t kLine = 64;

[[gnu::always_inline]] inline void prefetch(const AeadJob& job) {
  // Segments stand one behind another; the processor sees that by itself.
  if (job.front_length != 0) return;
  const std::size_t size = job.length < kMostPrefetched ? job.length : kMostPrefetched;
  for (std::size_t at = 0; at < size; at += kLine)
    __builtin_prefetch(job.in + at);
  if (job.out == job.in) return;
  for (std::size_t at = 0; at < size; at += kLine)
    __builtin_prefetch(job.out + at, 1);
}

// The powers that `length` bytes and the length block need, and the round keys behind them; with
// Karatsuba's multiplication, the sums of halves.
template <bool kHalfSums>
[[gnu::always_inline]] inline void prefetch_key(const GcmKey& key, std::size_t length) {
  const std::size_t powers = length / 16 + 2;
  const std::size_t used = 16 * (powers < GcmKey::kPowers ? powers : GcmKey::kPowers);
  const auto* const all = reinterpret_cast<const std::uint8_t*>(&key);
  for (std::size_t at = sizeof key.powers - used; at < sizeof key.powers + sizeof key.round_keys;
       at += kLine)
    __builtin_prefetch(all + at);
  if constexpr (kHalfSums) {
    constexpr std::size_t kEnd = offsetof(GcmKey, half_sums) + sizeof key.half_sums;
    for (std::size_t at = kEnd - (used < sizeof key.half_sums ? used : sizeof key.half_sums);
         at < kEnd; at += kLine)
      __builtin_prefetch(all + at);
  }
}

template <bool kHalfSums>
[[gnu::always_inline]] inline void prefetch_job(const AeadJob* jobs, std::size_t at) {
  prefetch(jobs[at]);
  if (jobs[at].key != jobs[at - 1].key) prefetch_key<kHalfSums>(key_of(jobs[at]), jobs[at].length);
}

// While jobs[at] is worked on.
template <bool kHalfSums>
[[gnu::always_inline]] inline void prefetch_ahead(const AeadJob* jobs, std::size_t at,
                                                  std::size_t count) {
  constexpr std::size_t kMostShort = 256;
  if (at + kShortAhead < count && jobs[at + kShortAhead].length <= kMostShort)
    prefetch_job<kHalfSums>(jobs, at + kShortAhead);
  if (at + kLongAhead < count && jobs[at + kLongAhead].length > kMostShort)
    prefetch_job<kHalfSums>(jobs, at + kLongAhead);
}

}  // namespace ipop::engine::gcm
