// The way of a burst: short packets wait until there are enough of a size to go side by side, long
// ones go at once.
#pragma once

#include "engine/aead/gcm/prefetch.hpp"
#include "engine/aead/vaes256/gcm_long.hpp"
#include "engine/aead/vaes256/gcm_short.hpp"

namespace ipop::engine::vaes256 {

// Packets of kRegs registers that wait until there are enough to go side by side.
template <bool kSeal, int kRegs>
class Waiting {
 public:
  [[gnu::always_inline]] void add(AeadJob& job) {
    if (kSeal && job.front_length != 0) [[unlikely]]
      join_front(job);
    jobs_[count_++] = &job;
    if (count_ == kMost) run_all();
  }
  // Those that are left, one after another: the processor itself then works on two at a time.
  [[gnu::always_inline]] void finish() {
    for (int i = 0; i < count_; ++i)
      run_short<kSeal, false, 1, kRegs>(jobs_ + i);
  }

 private:
  static constexpr int kMost = kTogether<kRegs>;

  [[gnu::always_inline]] void run_all() {
    bool one_key = true;
    each<kMost>([&](auto i) __attribute__((always_inline)) {
      one_key = one_key && jobs_[decltype(i)::value]->key == jobs_[0]->key;
    });
    if (one_key) {
      run_short<kSeal, true, kMost, kRegs>(jobs_);
    } else {
      run_short<kSeal, false, kMost, kRegs>(jobs_);
    }
    count_ = 0;
  }

  AeadJob* jobs_[kMost];
  int count_ = 0;
};

template <bool kSeal>
[[gnu::always_inline]] inline void run_burst(AeadJob* jobs, std::size_t count) {
  Waiting<kSeal, 1> one;
  Waiting<kSeal, 2> two;
  Waiting<kSeal, 3> three;
  Waiting<kSeal, 4> four;
  for (std::size_t i = 0; i < count; ++i) {
    AeadJob& job = jobs[i];
    gcm::prefetch_ahead<true>(jobs, i, count);
    switch (registers_of(job.length)) {
      case 1:
        one.add(job);
        break;
      case 2:
        two.add(job);
        break;
      case 3:
        three.add(job);
        break;
      case 4:
        four.add(job);
        break;
      default:
        run_long<kSeal>(job);
    }
  }
  one.finish();
  two.finish();
  three.finish();
  four.finish();
}

}  // namespace ipop::engine::vaes256
