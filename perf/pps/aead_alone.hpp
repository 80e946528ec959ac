// The AEAD without anything around it, in place and over the same bytes: the floor under the
// engine's figures. What opens has keys of its own, as the far end has: with many, the ones that
// sealed a moment ago would still be in the cache.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "engine/aead/aead.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {

class AeadAlone {
 public:
  explicit AeadAlone(const Workload& workload);

  void run_batch();
  [[nodiscard]] const Stopwatch& seal() const noexcept { return seal_; }
  [[nodiscard]] const Stopwatch& open() const noexcept { return open_; }

 private:
  Workload workload_;
  std::unique_ptr<engine::AeadEngine> aead_ = engine::make_aead_engine();
  using Keys = std::vector<std::unique_ptr<engine::AeadKey>>;
  Keys sealing_;
  Keys opening_;  // the same keys, elsewhere
  std::vector<std::uint8_t> buffer_;
  std::vector<engine::AeadJob> jobs_;
  std::vector<std::size_t> whose_;  // each job's key
  std::mt19937 random_{1};
  std::uint64_t counter_ = 0;
  Stopwatch seal_;
  Stopwatch open_;
};

}  // namespace ipop::perf
