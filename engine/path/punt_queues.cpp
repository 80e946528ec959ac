#include "engine/path/punt_queues.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace ipop::engine {

PuntQueues::PuntQueues(std::vector<PuntRing*> rings)
    : rings_(std::move(rings)), wake_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  for (const PuntRing* const ring : rings_) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = ring->wake_fd()}};
    if (epoll_ctl(wake_fd_.get(), EPOLL_CTL_ADD, ring->wake_fd(), &event) != 0) {
      throw std::runtime_error(std::string("the overlay cannot wait for lcores: ") +
                               std::strerror(errno));
    }
  }
}

std::size_t PuntQueues::drain(std::size_t limit, const std::function<void(const Punt&)>& take) {
  std::size_t drained = 0;
  for (std::size_t i = 0; i < rings_.size() && drained < limit; ++i)
    drained += rings_[(first_ + i) % rings_.size()]->drain(limit - drained, take);
  first_ = (first_ + 1) % rings_.size();
  return drained;
}

}  // namespace ipop::engine
