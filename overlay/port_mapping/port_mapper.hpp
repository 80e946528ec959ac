// Keeps the wire's port mapped at the router, on a thread of its own, "ipop-portmap": routers are
// asked by calls that block. Made, told and ended by the overlay thread. What the thread waits for
// ends when it is to end, but for giving the port back, which takes a second at most.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "overlay/port_mapping/mapping_keeper.hpp"
#include "overlay/port_mapping/stop_signal.hpp"

namespace ipop::overlay {

class PortMapper {
 public:
  struct Settings {
    std::uint16_t port = 0;  // of the wire, IPv4
    std::string interface;   // the virtual one: a route through it leads to no router
  };
  // Called on the mapper's thread, with what is other than before.
  using OnChange = std::function<void(PortMapping)>;

  PortMapper(Settings settings, OnChange on_change);
  // Waits for the thread's end.
  ~PortMapper();
  PortMapper(const PortMapper&) = delete;
  PortMapper& operator=(const PortMapper&) = delete;

  // Routes or addresses may have changed.
  void look_again() noexcept;
  // Lets the thread give the port back and end, without waiting for it.
  void begin_stop() noexcept { stop_.raise(); }

 private:
  void run();
  // Until `deadline`, or somebody wants something.
  void wait(Instant deadline);

  const Settings settings_;
  const OnChange on_change_;
  StopSignal stop_;               // overlay: w, mapper: r
  Fd wake_;                       // overlay: w, mapper: r
  std::atomic<bool> look_{true};  // overlay: sets, mapper: clears
  std::thread thread_;
};

}  // namespace ipop::overlay
