// What is measured, and how a figure is made of many batches.
#pragma once

#include <rte_cycles.h>

#include <cstdint>
#include <vector>

#include "engine/api/types.hpp"
#include "engine/port/port.hpp"

namespace ipop::perf {

// A super-packet as a kernel gives it: 44 segments of one TCP stream, 60 KiB in all.
inline constexpr std::uint32_t kSegments = 44;
inline constexpr std::uint32_t kSegmentSize = 1388;   // payload
inline constexpr std::uint32_t kSegmentHeaders = 52;  // IPv4, TCP with time stamps
inline constexpr std::uint32_t kSuperSize = kSegmentHeaders + kSegments * kSegmentSize;

struct Workload {
  engine::AeadSuite suite = engine::AeadSuite::kAes256Gcm;
  std::uint32_t peers = 1;  // that packets go to, at random
  std::uint32_t idle = 0;   // that have a session and a route, and are silent
  std::uint32_t size = 64;  // of the inner IP packet
  bool supers = false;      // super-packets instead; then `size` is kSuperSize
  std::uint32_t rules = 0;  // of a firewall, each way, of which the last lets the packets through

  // Inner packets of wire size in a turn: a burst, or the segments of one super-packet.
  [[nodiscard]] std::uint32_t packets() const noexcept {
    return supers ? kSegments : engine::kBurst;
  }
  // What a figure is for: a packet, or a super-packet.
  [[nodiscard]] std::uint32_t units() const noexcept { return supers ? 1 : engine::kBurst; }
  [[nodiscard]] std::uint32_t packet_size() const noexcept {
    return supers ? kSegmentHeaders + kSegmentSize : size;
  }
  [[nodiscard]] std::uint32_t rounds() const noexcept { return supers ? 100 : 300; }  // a batch
};

inline constexpr std::uint32_t kBatches = 41;

// Nanoseconds a unit, batch by batch.
class Stopwatch {
 public:
  // Measures one call that does `units`.
  template <typename Call>
  void time(std::uint32_t units, Call call) {
    const std::uint64_t begin = rte_rdtsc_precise();
    call();
    cycles_ += rte_rdtsc_precise() - begin;
    units_ += units;
  }
  void end_batch() {
    batches_.push_back(static_cast<double>(cycles_) * 1e9 / static_cast<double>(rte_get_tsc_hz()) /
                       static_cast<double>(units_));
    cycles_ = units_ = 0;
  }
  // The first batch, in which memory is touched for the first time, is not among them.
  [[nodiscard]] std::vector<double> batches() const {
    return {batches_.begin() + 1, batches_.end()};
  }

 private:
  std::uint64_t cycles_ = 0;
  std::uint64_t units_ = 0;
  std::vector<double> batches_;
};

}  // namespace ipop::perf
