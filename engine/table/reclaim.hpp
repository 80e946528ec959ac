// Puts off the freeing of what lcores may still read until each has passed a quiescent state
// (rte_rcu_qsbr). The overlay thread defers and runs; lcores register, report and go offline with
// the variable itself.
#pragma once

#include <rte_rcu_qsbr.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace ipop::engine {

class Reclaimer {
 public:
  explicit Reclaimer(std::uint32_t max_lcores);
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  [[nodiscard]] rte_rcu_qsbr* qsbr() const noexcept { return qsbr_.get(); }

  // `release` runs once no lcore can hold what was unlinked before this call. In the order given.
  void defer(std::move_only_function<void()> release);
  // Runs what is due. Does not wait.
  void run();
  // Runs all that is left: no lcore may be reading any more.
  void finish();
  [[nodiscard]] std::size_t pending() const noexcept { return deferred_.size(); }

 private:
  struct Deferred {
    std::uint64_t token;
    std::move_only_function<void()> release;
  };
  struct Free {
    void operator()(rte_rcu_qsbr* at) const noexcept;
  };

  std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
  std::deque<Deferred> deferred_;
};

}  // namespace ipop::engine
