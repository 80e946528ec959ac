#include "overlay/port_mapping/stop_signal.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstdint>
#include <stdexcept>

namespace ipop::overlay {

StopSignal::StopSignal() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) throw std::runtime_error("cannot make an eventfd");
}

void StopSignal::raise() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(fd_.get(), &one, sizeof one));
}

bool StopSignal::raised() const noexcept {
  pollfd look{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 0) == 1;
}

}  // namespace ipop::overlay
