// How the network around a node looks, as people read it: what its NATs do, what that means for
// others, what the router forwards, and which STUN server said so. Pure: values in, text out.
#pragma once

#include <string>

#include "overlay/status.hpp"

namespace ipop::app {

[[nodiscard]] std::string netcheck_text(const overlay::NatStatus& nat);

}  // namespace ipop::app
