#include "overlay/port_mapping/patience.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace ipop::overlay {

Patience Patience::within(Duration time) const {
  Patience shorter(time, stop_);
  shorter.until_ = std::min(shorter.until_, until_);
  return shorter;
}

bool Patience::wait(int fd, short events) const noexcept {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until_ - read_monotonic()).count();
    if (left <= 0) return false;
    pollfd watched[2] = {{.fd = fd, .events = events, .revents = 0},
                         {.fd = stop_ ? stop_->fd() : -1, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(watched, 2, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    return watched[1].revents == 0;
  }
}

}  // namespace ipop::overlay
