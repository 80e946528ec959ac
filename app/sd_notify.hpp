// Tells the service manager how far the daemon is, as sd_notify(3) describes: one datagram to the
// socket that NOTIFY_SOCKET names. Start-up and overlay thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace ipop::app {

class SdNotifier {
 public:
  // From the environment; without NOTIFY_SOCKET nobody wants to know and notify() does nothing.
  [[nodiscard]] static SdNotifier from_environment();
  explicit SdNotifier(std::string socket) : socket_(std::move(socket)) {}

  // "READY=1", "STOPPING=1", "STATUS=…". Never blocks.
  [[nodiscard]] Result<void> notify(std::string_view state) const;

 private:
  std::string socket_;  // a path, or @name in the abstract namespace; empty: none
};

}  // namespace ipop::app
