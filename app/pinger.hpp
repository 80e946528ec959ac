// `ipop ping` inside the daemon: one overlay ping a second, as many as were asked for. It keeps
// itself alive until the last one. Overlay thread.
#pragma once

#include <asio/steady_timer.hpp>
#include <memory>

#include "overlay/control/handlers.hpp"
#include "overlay/overlay.hpp"

namespace ipop::app {

class Pinger : public std::enable_shared_from_this<Pinger> {
 public:
  static void start(asio::io_context& io, overlay::Overlay& overlay,
                    const overlay::control::PingRequest& request, overlay::control::PingSink sink);

  Pinger(asio::io_context& io, overlay::Overlay& overlay,
         const overlay::control::PingRequest& request, overlay::control::PingSink sink);

 private:
  void send();
  void on_result(const overlay::PingResult& result);

  overlay::Overlay& overlay_;
  asio::steady_timer timer_;
  const IpAddress address_;
  unsigned left_;
  const overlay::control::PingSink sink_;
};

}  // namespace ipop::app
