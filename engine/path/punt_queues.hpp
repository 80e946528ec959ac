// The way up to the overlay thread from all lcores: their rings as one queue, drained in turns.
#pragma once

#include <vector>

#include "base/fd.hpp"
#include "engine/path/punt_ring.hpp"

namespace ipop::engine {

class PuntQueues final : public PuntQueue {
 public:
  // At least one, which outlive this. Throws std::runtime_error.
  explicit PuntQueues(std::vector<PuntRing*> rings);

  std::size_t drain(std::size_t limit, const std::function<void(const Punt&)>& take) override;
  [[nodiscard]] int wake_fd() const override { return wake_fd_.get(); }

 private:
  std::vector<PuntRing*> rings_;
  Fd wake_fd_;             // an epoll, readable while one of theirs is
  std::size_t first_ = 0;  // who is drained first, in turns
};

}  // namespace ipop::engine
