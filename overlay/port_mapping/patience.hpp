// How long a router is waited for: until a time, and no longer than until the thread is to end.
// Reads the clock; the port mapper's thread.
#pragma once

#include "base/clock.hpp"
#include "overlay/port_mapping/stop_signal.hpp"

namespace ipop::overlay {

class Patience {
 public:
  // `stop` may be null: then nothing cuts it short.
  Patience(Duration time, const StopSignal* stop) : until_(read_monotonic() + time), stop_(stop) {}

  // The same, but for at most this long from now.
  [[nodiscard]] Patience within(Duration time) const;
  // Waits for `events` (poll) at `fd`. False: they did not come in time.
  [[nodiscard]] bool wait(int fd, short events) const noexcept;
  [[nodiscard]] bool over() const noexcept {
    return read_monotonic() >= until_ || (stop_ != nullptr && stop_->raised());
  }

 private:
  Instant until_;
  const StopSignal* stop_;
};

}  // namespace ipop::overlay
