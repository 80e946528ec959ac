// Which block of which packet stands in which lane: one list of all blocks of a burst, first the
// block 0 of every packet, which makes its Poly1305 key (RFC 8439 §2.6), then the blocks of text,
// packet by packet. Sixteen of the list are a pass.
// Only for a source that is compiled for AVX-512; everything here has internal linkage.
#pragma once

#include "engine/aead/aead.hpp"
#include "engine/aead/avx512/chacha20.hpp"
#include "engine/aead/avx512/poly1305_group.hpp"

namespace ipop::engine::avx512 {
namespace {

inline constexpr std::size_t kMostJobs = 64;

// Block 0 "encrypts" these to the Poly1305 key, as if it were text.
alignas(64) constexpr std::uint8_t kZeros[kBlock] = {};

// The lowest n of 64 bits; all of them from 64 on.
[[gnu::always_inline]] inline std::uint64_t lowest(std::size_t n) {
  return _bzhi_u64(~std::uint64_t{0}, n > 64 ? 64 : static_cast<unsigned>(n));
}

// Each table has room behind it, as a run of lanes is written by whole registers.
struct Pass {
  alignas(64) std::uint32_t counter[2 * kLanes];
  alignas(64) std::uint32_t salt[2 * kLanes];
  alignas(64) std::uint64_t nonce[2 * kLanes];
  const std::uint8_t* key[2 * kLanes];
  alignas(64) Lanes lanes;
  alignas(64) std::uint8_t joined[kLanes][kBlock];  // text that does not lie in one piece
  std::size_t used;
  std::size_t jobs_begun;  // so many jobs have text in this pass or in one before
};

class BlockList {
 public:
  // `order` has the places of the jobs in the order in which their text is taken.
  [[gnu::always_inline]] BlockList(const AeadJob* jobs, const std::uint8_t* order,
                                   std::size_t count, bool one_key, OneTimeKey* keys)
      : jobs_(jobs), order_(order), count_(count), keys_(keys), one_key_(one_key) {}

  [[gnu::always_inline]] bool keys_left() const { return keyed_ < count_; }

  // Takes the next sixteen blocks 0, or as many as there are.
  [[gnu::always_inline]] void fill_keys(Pass& pass) {
    const std::size_t left = count_ - keyed_;
    pass.used = left < kLanes ? left : kLanes;
    for (std::size_t lane = 0; lane < pass.used; ++lane, ++keyed_) {
      const AeadJob& job = jobs_[keyed_];
      pass.counter[lane] = 0;
      pass.nonce[lane] = job.counter;
      pass.salt[lane] = job.key->salt;
      pass.key[lane] = job.key->storage();
      pass.lanes.in[lane] = kZeros;
      pass.lanes.out[lane] = keys_[keyed_].r;
      pass.lanes.mask[lane] = lowest(sizeof(OneTimeKey));
    }
    leave_rest(pass);
  }

  // Takes the next sixteen blocks of text, or as many as there are.
  [[gnu::always_inline]] void fill_text(Pass& pass) {
    pass.used = 0;
    _mm512_store_si512(pass.lanes.mask, _mm512_set1_epi64(-1));
    _mm512_store_si512(pass.lanes.mask + 8, _mm512_set1_epi64(-1));
    while (texted_ < count_ && pass.used < kLanes) {
      const AeadJob& job = jobs_[order_[texted_]];
      take(pass, job);
      pass.jobs_begun = texted_ + 1;
      if (kBlock * block_ < job.length) break;
      block_ = 0;
      ++texted_;
    }
    leave_rest(pass);
  }

 private:
  // The blocks of a packet from block_ on, until they or the lanes come to an end.
  [[gnu::always_inline]] void take(Pass& pass, const AeadJob& job) {
    const std::size_t blocks = (job.length + kBlock - 1) / kBlock - block_;
    const std::size_t first = pass.used;
    const std::size_t count = blocks < kLanes - first ? blocks : kLanes - first;
    const std::size_t at = kBlock * block_;
    const std::uint8_t* const in = job.in - job.front_length + at;
    // Whole registers for more than a few lanes: 16 lanes one by one are 64 stores, more than the
    // processor takes in passing, and cost 80 cycles.
    if (count > 2) {
      put_run(pass, first, job, in, job.out + at);
    } else {
      for (std::size_t i = 0; i < count; ++i)
        put_one(pass, first + i, job, in + kBlock * i, job.out + at + kBlock * i,
                block_ + static_cast<std::uint32_t>(i) + 1);
    }
    // A pass is filled while the one before it has yet to be done: time enough for far memory.
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(in + kBlock * i);
      __builtin_prefetch(job.out + at + kBlock * i, 1);
    }
    block_ += static_cast<std::uint32_t>(count);
    pass.used = first + count;
    if (kBlock * block_ > job.length) pass.lanes.mask[pass.used - 1] = lowest(job.length % kBlock);
    for (std::size_t i = 0; i < count && at + kBlock * i < job.front_length; ++i)
      pass.lanes.in[first + i] = join(pass.joined[first + i], job, at + kBlock * i);
  }

  [[gnu::always_inline]] void put_one(Pass& pass, std::size_t lane, const AeadJob& job,
                                      const std::uint8_t* in, std::uint8_t* out,
                                      std::uint32_t counter) const {
    pass.counter[lane] = counter;
    pass.nonce[lane] = job.counter;
    pass.lanes.in[lane] = in;
    pass.lanes.out[lane] = out;
    if (one_key_) return;
    pass.salt[lane] = job.key->salt;
    pass.key[lane] = job.key->storage();
  }

  // As many lanes as there are, and what the tables have behind them.
  [[gnu::always_inline]] void put_run(Pass& pass, std::size_t first, const AeadJob& job,
                                      const std::uint8_t* in, std::uint8_t* out) const {
    const __m512i places = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i counter = _mm512_set1_epi32(static_cast<int>(block_ + 1));
    _mm512_storeu_si512(pass.counter + first, _mm512_add_epi32(counter, places));
    put_sixteen(pass.nonce + first, job.counter, 0);
    put_sixteen(pass.lanes.in + first, reinterpret_cast<std::uint64_t>(in), kBlock);
    put_sixteen(pass.lanes.out + first, reinterpret_cast<std::uint64_t>(out), kBlock);
    if (one_key_) return;
    _mm512_storeu_si512(pass.salt + first, _mm512_set1_epi32(static_cast<int>(job.key->salt)));
    put_sixteen(pass.key + first, reinterpret_cast<std::uint64_t>(job.key->storage()), 0);
  }

  [[gnu::always_inline]] static void put_sixteen(void* table, std::uint64_t start,
                                                 std::uint64_t step) {
    const __m512i eight = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0),
                                             _mm512_set1_epi64(static_cast<long long>(step)));
    const __m512i from = _mm512_set1_epi64(static_cast<long long>(start));
    const __m512i half = _mm512_set1_epi64(static_cast<long long>(8 * step));
    const __m512i low = _mm512_add_epi64(from, eight);
    _mm512_storeu_si512(table, low);
    _mm512_storeu_si512(static_cast<std::uint8_t*>(table) + 64, _mm512_add_epi64(low, half));
  }

  // A block that begins in the front. Masked bytes of a load are not touched, so that nothing in
  // front of the text is read.
  [[gnu::always_inline]] static const std::uint8_t* join(std::uint8_t* block, const AeadJob& job,
                                                         std::size_t at) {
    const std::uint64_t all = lowest(job.length - at);
    const std::uint64_t front = lowest(job.front_length - at);
    const __m512i head = _mm512_maskz_loadu_epi8(front, job.front + at);
    const std::uint8_t* const rest = job.in - job.front_length + at;
    _mm512_store_si512(block, _mm512_mask_loadu_epi8(head, all & ~front, rest));
    return block;
  }

  // Lanes behind the end do nothing, with a key that is there.
  [[gnu::always_inline]] void leave_rest(Pass& pass) const {
    for (std::size_t lane = pass.used; lane < kLanes; ++lane) {
      pass.key[lane] = jobs_[0].key->storage();
      pass.lanes.in[lane] = kZeros;
      pass.lanes.out[lane] = pass.joined[0];
      pass.lanes.mask[lane] = 0;
    }
  }

  const AeadJob* jobs_;
  const std::uint8_t* order_;
  std::size_t count_;
  OneTimeKey* keys_;
  std::size_t keyed_ = 0;    // jobs whose block 0 was taken
  std::size_t texted_ = 0;   // jobs whose text was taken as a whole
  std::uint32_t block_ = 0;  // so many blocks of the next job were taken
  bool one_key_;
};

// The words of the state that depend on the lane (RFC 8439 §2.3): the number of the block and the
// nonce, which is the key's salt and then the packet's counter.
[[gnu::always_inline]] inline void set_counters(const Pass& pass, InitialState& state) {
  const __m512i front = _mm512_load_si512(pass.nonce);
  const __m512i back = _mm512_load_si512(pass.nonce + 8);
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  _mm512_store_si512(state.word[12], _mm512_load_si512(pass.counter));
  _mm512_store_si512(state.word[14], _mm512_permutex2var_epi32(front, even, back));
  _mm512_store_si512(state.word[15], _mm512_permutex2var_epi32(front, odd, back));
}

[[gnu::always_inline]] inline void set_constants(InitialState& state) {
  constexpr std::uint32_t kWords[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 4; ++i)
    _mm512_store_si512(state.word[i], _mm512_set1_epi32(static_cast<int>(kWords[i])));
}

[[gnu::always_inline]] inline void set_one_key(const AeadKey& key, InitialState& state) {
  unrolled<8>([&](auto i) {
    std::int32_t word;
    __builtin_memcpy(&word, key.storage() + 4 * i, sizeof word);
    _mm512_store_si512(state.word[4 + i], _mm512_set1_epi32(word));
  });
  _mm512_store_si512(state.word[13], _mm512_set1_epi32(static_cast<int>(key.salt)));
}

// Words i and i + 4 of the keys of eight lanes, from lane kFirst on: of the first four lanes, then
// of the others.
template <int kFirst>
[[gnu::always_inline]] inline void gather_keys(const Pass& pass, __m512i (&rows)[4]) {
  __m512i pair[4];
  unrolled<4>([&](auto i) {
    const auto near = reinterpret_cast<const __m256i*>(pass.key[kFirst + i]);
    const auto far = reinterpret_cast<const __m256i*>(pass.key[kFirst + 4 + i]);
    pair[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(near)),
                                 _mm256_loadu_si256(far), 1);
  });
  transpose_words(pair[0], pair[1], pair[2], pair[3], rows);
}

[[gnu::always_inline]] inline void set_keys(const Pass& pass, InitialState& state) {
  __m512i front[4];
  __m512i back[4];
  gather_keys<0>(pass, front);
  gather_keys<8>(pass, back);
  unrolled<4>([&](auto i) {
    _mm512_store_si512(state.word[4 + i], _mm512_shuffle_i32x4(front[i], back[i], 0x88));
    _mm512_store_si512(state.word[8 + i], _mm512_shuffle_i32x4(front[i], back[i], 0xdd));
  });
  _mm512_store_si512(state.word[13], _mm512_load_si512(pass.salt));
}

// One body for sealing and opening. `state` has the constants and, with one key for all packets,
// the key.
[[gnu::noinline]] void crypt_pass(const Pass& pass, bool one_key, InitialState& state) {
  set_counters(pass, state);
  if (!one_key) set_keys(pass, state);
  if (pass.used > kLanes / 2) {
    crypt<__m512i>(state, pass.lanes);
  } else {
    crypt<__m256i>(state, pass.lanes);
  }
}

}  // namespace
}  // namespace ipop::engine::avx512
