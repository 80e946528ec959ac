// Wakes one lcore that sleeps; a busy one costs no system call. Anybody rings, after having put
// something where the lcore looks; the lcore says when it is about to sleep, and then looks again.
#pragma once

#include <atomic>

#include "base/fd.hpp"

namespace ipop::engine {

class Bell {
 public:
  // Throws std::runtime_error.
  Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Any thread: there is something to do.
  void ring() noexcept {
    // Pairs with the exchange in prepare_sleep(): either we see it asleep, or it sees our work.
    if (sleeping_.exchange(false, std::memory_order_acq_rel)) wake();
  }
  // For another reason than work: to stop.
  void wake() noexcept;

  // Lcore: before it looks for work a last time and sleeps on fd().
  void prepare_sleep() noexcept {
    // Pairs with the exchange in ring().
    sleeping_.exchange(true, std::memory_order_acq_rel);
  }
  // And after it, slept or not. `signalled`: fd() was found readable.
  void end_sleep(bool signalled) noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  Fd fd_;
  // Every access is an exchange, so that of two that race the later sees what went before the
  // earlier. Any thread: rw
  alignas(64) std::atomic<bool> sleeping_{false};
};

}  // namespace ipop::engine
