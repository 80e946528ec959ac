#include "engine/bell.hpp"

#include <sys/eventfd.h>

#include <stdexcept>

namespace ipop::engine {

Bell::Bell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!fd_) throw std::runtime_error("no eventfd for the lcore: too many open files");
}

void Bell::wake() noexcept {
  // Cannot fail but by overflow, and then the descriptor is readable anyway.
  (void)eventfd_write(fd_.get(), 1);
}

void Bell::end_sleep(bool signalled) noexcept {
  sleeping_.exchange(false, std::memory_order_acq_rel);
  if (!signalled) return;
  eventfd_t count = 0;
  (void)eventfd_read(fd_.get(), &count);
}

}  // namespace ipop::engine
