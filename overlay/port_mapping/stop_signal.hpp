// Tells a thread that waits for sockets to come to an end: raised once by any thread, seen by all
// waits that watch it.
#pragma once

#include "base/fd.hpp"

namespace ipop::overlay {

class StopSignal {
 public:
  // Throws std::runtime_error if the kernel has no descriptor left.
  StopSignal();

  void raise() noexcept;
  // Readable for ever once it was raised.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] bool raised() const noexcept;

 private:
  Fd fd_;
};

}  // namespace ipop::overlay
