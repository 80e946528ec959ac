// The timers that the daemon runs its sessions by: WireGuard's. `ipopd_fast_timers`, a program for
// tests that is never installed, has the long ones divided, so that it rekeys within seconds.
#pragma once

#include "overlay/handshake/timers.hpp"

namespace ipop::app {

[[nodiscard]] overlay::handshake::Timers handshake_timers();

}  // namespace ipop::app
