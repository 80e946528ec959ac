// What is measured, and how a figure is made of many rounds.
#pragma once

#include <rte_cycles.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/api/types.hpp"

namespace ipop::perf {

struct Workload {
  engine::AeadSuite suite = engine::AeadSuite::kAes256Gcm;
  std::uint32_t peers = 1;
  std::uint32_t size = 64;  // of the inner IP packet
};

inline constexpr std::uint32_t kBatches = 25;
inline constexpr std::uint32_t kRounds = 400;  // a batch

// Nanoseconds a packet: the best batch's mean, as everything that disturbs only adds.
class Stopwatch {
 public:
  // Measures one call that does `packets`.
  template <typename Call>
  void time(std::uint32_t packets, Call call) {
    const std::uint64_t begin = rte_rdtsc_precise();
    call();
    cycles_ += rte_rdtsc_precise() - begin;
    packets_ += packets;
  }
  void end_batch() {
    batches_.push_back(static_cast<double>(cycles_) * 1e9 / static_cast<double>(rte_get_tsc_hz()) /
                       static_cast<double>(packets_));
    cycles_ = packets_ = 0;
  }
  [[nodiscard]] double best() const { return *std::ranges::min_element(batches_); }

 private:
  std::uint64_t cycles_ = 0;
  std::uint64_t packets_ = 0;
  std::vector<double> batches_;
};

struct Figures {
  double out = 0;  // seal, or encap
  double in = 0;   // open, or decap
};

}  // namespace ipop::perf
