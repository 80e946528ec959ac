#include "overlay/port_mapping/port_mapper.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "overlay/port_mapping/default_route.hpp"
#include "overlay/port_mapping/nat_pmp.hpp"
#include "overlay/port_mapping/pcp.hpp"
#include "overlay/port_mapping/upnp.hpp"

namespace ipop::overlay {

PortMapper::PortMapper(Settings settings, OnChange on_change)
    : settings_(std::move(settings)),
      on_change_(std::move(on_change)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::runtime_error("cannot make an eventfd");
  thread_ = std::thread([this] { run(); });
}

PortMapper::~PortMapper() {
  begin_stop();
  thread_.join();
}

void PortMapper::look_again() noexcept {
  look_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

void PortMapper::wait(Instant deadline) {
  const auto left =
      deadline == Instant::max()
          ? -1
          : std::clamp<long long>(
                std::chrono::ceil<std::chrono::milliseconds>(deadline - read_monotonic()).count(),
                0, 3'600'000);
  pollfd watched[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                       {.fd = stop_.fd(), .events = POLLIN, .revents = 0}};
  static_cast<void>(::poll(watched, 2, static_cast<int>(left)));
  std::uint64_t count = 0;
  static_cast<void>(!::read(wake_.get(), &count, sizeof count));
}

void PortMapper::run() {
  pthread_setname_np(pthread_self(), "ipop-portmap");
  // The cheaper ones first: a datagram or two to the router and no search.
  Pcp pcp(stop_);
  NatPmp nat_pmp(stop_);
  Upnp upnp(stop_);
  MappingKeeper keeper({&pcp, &nat_pmp, &upnp}, settings_.port);
  PortMapping told;
  while (!stop_.raised()) {
    if (look_.exchange(false)) {
      const auto route = default_route(settings_.interface);
      keeper.set_route(route, read_monotonic());
    }
    keeper.service(read_monotonic());
    if (keeper.state() != told && !stop_.raised()) {
      told = keeper.state();
      on_change_(told);
    }
    wait(keeper.deadline());
  }
  keeper.release();
}

}  // namespace ipop::overlay
