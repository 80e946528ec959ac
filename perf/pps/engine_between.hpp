// Two engines on one kind of wire, each turned by hand: what one turn costs, from the host port to
// the wire port's queue and back, without the cost of making the packets.
#pragma once

#include <memory>
#include <random>

#include "base/clock.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {

template <typename Wire>
struct EngineNode;

// Wire: MemoryWire, RingWire or MemifWire.
template <typename Wire>
class EngineBetween {
 public:
  explicit EngineBetween(const Workload& workload);
  ~EngineBetween();

  void run_batch();
  // Throws unless every packet went all the way, and super-packets as such.
  void must_be_complete() const;
  [[nodiscard]] const Stopwatch& encap() const noexcept { return encap_; }
  [[nodiscard]] const Stopwatch& decap() const noexcept { return decap_; }

 private:
  void join(std::uint32_t peer);
  // One turn's frames for the sender; `order` says which peer each is for.
  [[nodiscard]] std::uint16_t make_frames(rte_mbuf** frames, std::uint32_t* order);

  Workload workload_;
  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<EngineNode<Wire>> sender_;
  std::unique_ptr<EngineNode<Wire>> receiver_;
  std::mt19937 random_{1};
  std::uint64_t rounds_ = 0;
  Stopwatch encap_;
  Stopwatch decap_;
};

}  // namespace ipop::perf
