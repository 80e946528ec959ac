// One engine that relays, on one kind of wire and turned by hand: what one turn costs, from the
// wire port to the wire port's queue.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "base/clock.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {

template <typename Wire>
struct EngineNode;

// Wire: MemoryWire, RingWire or MemifWire.
template <typename Wire>
class EngineRelay {
 public:
  // `workload.peers` pairs, each datagram of a pair at random; `workload.size` is the size of a
  // datagram with its relay header. Super: one train of kSegments datagrams in a turn.
  explicit EngineRelay(const Workload& workload);
  ~EngineRelay();

  void run_batch();
  // Throws unless every packet was passed on.
  void must_be_complete() const;
  [[nodiscard]] const Stopwatch& relay() const noexcept { return relay_; }

 private:
  void lay_in();

  Workload workload_;
  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<EngineNode<Wire>> node_;
  std::vector<engine::RelayLabel> labels_;
  std::mt19937 random_{1};
  std::uint64_t rounds_ = 0;
  Stopwatch relay_;
};

}  // namespace ipop::perf
