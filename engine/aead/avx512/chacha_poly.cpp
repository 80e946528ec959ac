#include "engine/aead/avx512/chacha_poly.hpp"

#include "engine/aead/avx512/chacha20_lanes.hpp"
#include "engine/aead/avx512/poly1305_group.hpp"

namespace ipop::engine::avx512 {
namespace {

enum class Work { kSeal, kOpen };

constexpr std::size_t kClasses = 208;  // that class_of() can tell apart

// Up to kMostJobs jobs from their blocks to their tags.
template <Work kWork>
class Burst {
 public:
  [[gnu::always_inline]] Burst(AeadJob* jobs, std::size_t count) : jobs_(jobs), count_(count) {
    for (std::size_t i = 0; i < count; ++i)
      one_key_ = one_key_ && jobs[i].key == jobs[0].key;
    sort();
    set_constants(state_);
    if (one_key_) set_one_key(*jobs[0].key, state_);
  }

  [[gnu::always_inline]] void run() {
    BlockList list(jobs_, order_, count_, one_key_, keys_);
    Pass passes[2];
    while (list.keys_left()) {
      list.fill_keys(passes[0]);
      crypt_pass(passes[0], one_key_, state_);
    }
    Pass* now = &passes[0];
    Pass* next = &passes[1];
    list.fill_text(*now);
    while (now->used != 0) {
      // In place, the ciphertext is gone behind this, and only the tags say what it was.
      if (kWork == Work::kOpen) authenticate_up_to(now->jobs_begun);
      list.fill_text(*next);
      crypt_pass(*now, one_key_, state_);
      Pass* const done = now;
      now = next;
      next = done;
    }
    authenticate_up_to(count_);
  }

 private:
  // By length, so that the packets of a group are alike: counted by rows of Poly1305, exactly up to
  // 31, above that in steps of an eighth.
  [[gnu::always_inline]] void sort() {
    std::uint8_t shortest = class_of(jobs_[0].length);
    std::uint8_t longest = shortest;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint8_t here = class_of(jobs_[i].length);
      order_[i] = static_cast<std::uint8_t>(i);
      class_[i] = here;
      shortest = here < shortest ? here : shortest;
      longest = here > longest ? here : longest;
    }
    if (shortest == longest) return;
    // Where the next job of each class goes.
    std::uint8_t next[kClasses + 1] = {};
    for (std::size_t i = 0; i < count_; ++i)
      ++next[class_[i] + 1];
    for (std::size_t i = shortest + 1; i <= longest; ++i)
      next[i] = static_cast<std::uint8_t>(next[i] + next[i - 1]);
    for (std::size_t i = 0; i < count_; ++i)
      order_[next[class_[i]]++] = static_cast<std::uint8_t>(i);
  }

  [[gnu::always_inline]] static std::uint8_t class_of(std::uint32_t length) {
    const std::uint32_t rows = (length + 15) / 64 + 1;
    if (rows < 32) return static_cast<std::uint8_t>(rows);
    // Three bits below the highest, and its place.
    const std::uint32_t place = 31 - static_cast<std::uint32_t>(__builtin_clz(rows));
    return static_cast<std::uint8_t>(8 * place + (rows >> (place - 3)) - 16);
  }

  [[gnu::always_inline]] void authenticate_up_to(std::size_t jobs) {
    for (; authenticated_ < jobs; authenticated_ += kGroup)
      authenticate_group();
  }

  [[gnu::always_inline]] void authenticate_group() {
    Members members;
    AeadJob* job[kGroup];
    for (std::size_t i = 0; i < kGroup; ++i) {
      const std::size_t at = authenticated_ + i;
      const std::size_t index = order_[at < count_ ? at : count_ - 1];
      job[i] = &jobs_[index];
      members.text[i] = kWork == Work::kSeal ? job[i]->out : job[i]->in;
      members.length[i] = job[i]->length;
      members.key[i] = &keys_[index];
    }
    alignas(64) std::uint8_t tags[kGroup][kTagSize];
    authenticate(members, tags);
    for (std::size_t i = 0; i < kGroup; ++i) {
      const __m128i tag = _mm_load_si128(reinterpret_cast<const __m128i*>(tags[i]));
      if constexpr (kWork == Work::kSeal) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(job[i]->out + job[i]->length), tag);
        job[i]->ok = true;
      } else {
        const auto* const expected = reinterpret_cast<const __m128i*>(job[i]->in + job[i]->length);
        job[i]->ok = _mm_cmpneq_epi64_mask(tag, _mm_loadu_si128(expected)) == 0;
      }
    }
  }

  AeadJob* jobs_;
  std::size_t count_;
  bool one_key_ = true;
  std::uint8_t order_[kMostJobs];
  std::uint8_t class_[kMostJobs];
  std::size_t authenticated_ = 0;
  alignas(64) OneTimeKey keys_[kMostJobs];
  InitialState state_;
};

template <Work kWork>
[[gnu::always_inline]] inline void run(AeadJob* jobs, std::size_t count) {
  for (std::size_t at = 0; at < count; at += kMostJobs) {
    const std::size_t left = count - at;
    Burst<kWork>(jobs + at, left < kMostJobs ? left : kMostJobs).run();
  }
}

}  // namespace

void seal_chacha_poly(AeadJob* jobs, std::size_t count) noexcept {
  run<Work::kSeal>(jobs, count);
}

void open_chacha_poly(AeadJob* jobs, std::size_t count) noexcept {
  run<Work::kOpen>(jobs, count);
}

}  // namespace ipop::engine::avx512
