// Brings the text of a packet, and where it goes to, into the cache while others are worked on. At
// 1400 bytes out of place it gains a fifth where buffers are many, and costs 3 % where they are
// near. Keys are not brought: even of 1,000 that cost more than it gained.
#pragma once

#include "engine/aead/avx512/packet.hpp"

namespace ipop::engine::avx512 {

// How many jobs ahead: of a short one, of a long one.
constexpr std::size_t kShortAhead = 8;
constexpr std::size_t kLongAhead = 2;
// Behind so many bytes the processor has seen by itself where it goes.
constexpr std::size_t kMostPrefetched = 1536;

[[gnu::always_inline]] inline void prefetch(const AeadJob& job) {
  // Segments stand one behind another; the processor sees that by itself.
  if (job.front_length != 0) return;
  const std::size_t size = job.length < kMostPrefetched ? job.length : kMostPrefetched;
  for (std::size_t at = 0; at < size; at += kRegSize)
    __builtin_prefetch(job.in + at);
  if (job.out == job.in) return;
  for (std::size_t at = 0; at < size; at += kRegSize)
    __builtin_prefetch(job.out + at, 1);
}

// While jobs[at] is worked on.
[[gnu::always_inline]] inline void prefetch_ahead(const AeadJob* jobs, std::size_t at,
                                                  std::size_t count) {
  constexpr std::size_t kMostShort = 256;
  if (at + kShortAhead < count && jobs[at + kShortAhead].length <= kMostShort)
    prefetch(jobs[at + kShortAhead]);
  if (at + kLongAhead < count && jobs[at + kLongAhead].length > kMostShort)
    prefetch(jobs[at + kLongAhead]);
}

}  // namespace ipop::engine::avx512
