// The way of a burst: short packets wait until four of a size can go side by side, long ones go at
// once.
#pragma once

#include "engine/aead/avx512/gcm_long.hpp"
#include "engine/aead/avx512/gcm_short.hpp"
#include "engine/aead/gcm/prefetch.hpp"

namespace ipop::engine::avx512 {

// Packets of kRegs registers that wait until there are enough to go side by side.
template <bool kSeal, int kRegs>
class Waiting {
 public:
  [[gnu::always_inline]] void add(AeadJob& job) {
    if (kSeal && job.front_length != 0) [[unlikely]]
      join_front(job);
    jobs_[count_++] = &job;
    if (count_ == kTogether) run_all();
  }
  // Those that are left, one after another: the processor itself then works on two at a time.
  [[gnu::always_inline]] void finish() {
    for (int i = 0; i < count_; ++i)
      run_short<kSeal, false, 1, kRegs>(jobs_ + i);
  }

 private:
  static constexpr int kTogether = 4;

  [[gnu::always_inline]] void run_all() {
    const AeadKey* const key = jobs_[0]->key;
    if (jobs_[1]->key == key && jobs_[2]->key == key && jobs_[3]->key == key) {
      run_short<kSeal, true, kTogether, kRegs>(jobs_);
    } else {
      run_short<kSeal, false, kTogether, kRegs>(jobs_);
    }
    count_ = 0;
  }

  AeadJob* jobs_[kTogether];
  int count_ = 0;
};

// The shares for a long packet's key, if they are there, or worth it because the three behind it
// have the same.
[[gnu::always_inline]] inline const NumberShares* shares_for(const AeadJob* jobs, std::size_t left,
                                                             NumberShares& shares) {
  const GcmKey& key = key_of(*jobs);
  if (shares.key == &key) return &shares;
  if (left < 4 || jobs[1].key != jobs->key || jobs[2].key != jobs->key || jobs[3].key != jobs->key)
    return nullptr;
  shares.put_down(key);
  return &shares;
}

template <bool kSeal>
[[gnu::always_inline]] inline void run_burst(AeadJob* jobs, std::size_t count) {
  NumberShares shares;
  Waiting<kSeal, 1> one;
  Waiting<kSeal, 2> two;
  Waiting<kSeal, 3> three;
  Waiting<kSeal, 4> four;
  for (std::size_t i = 0; i < count; ++i) {
    AeadJob& job = jobs[i];
    gcm::prefetch_ahead<false>(jobs, i, count);
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
        run_long<kSeal>(job, shares_for(jobs + i, count - i, shares));
    }
  }
  one.finish();
  two.finish();
  three.finish();
  four.finish();
}

}  // namespace ipop::engine::avx512
