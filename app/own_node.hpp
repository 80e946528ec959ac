// Who this node is: its key, and what it claims by it, from the state folder. Start-up.
#pragma once

#include "conf/config.hpp"
#include "overlay/trust/credential.hpp"
#include "overlay/trust/identity.hpp"

namespace ipop::app {

// Both throw std::runtime_error. The first tells who makes a key that is not there.
[[nodiscard]] overlay::Identity load_identity(const conf::Config& config);
[[nodiscard]] overlay::Credential make_credential(const conf::Config& config,
                                                  const overlay::Identity& identity);

}  // namespace ipop::app
