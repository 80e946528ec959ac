#include "app/handshake_timers.hpp"

#ifndef IPOP_HANDSHAKE_TIME_SCALE
#define IPOP_HANDSHAKE_TIME_SCALE 1
#endif

namespace ipop::app {

overlay::handshake::Timers handshake_timers() {
  overlay::handshake::Timers timers;
  timers.rekey_after /= IPOP_HANDSHAKE_TIME_SCALE;
  timers.reject_after /= IPOP_HANDSHAKE_TIME_SCALE;
  timers.rekey_attempt /= IPOP_HANDSHAKE_TIME_SCALE;
  return timers;
}

}  // namespace ipop::app
