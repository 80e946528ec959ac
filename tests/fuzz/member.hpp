// The network and the member that hostile input is sealed and signed for, made once for a whole
// run: deriving the key takes a tenth of a second.
#pragma once

#include <cstdlib>

#include "base/clock.hpp"
#include "overlay/trust/identity.hpp"
#include "overlay/trust/network_key.hpp"

namespace ipop::fuzz {

inline const WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

inline const overlay::NetworkKey& network() {
  static const overlay::NetworkKey key = overlay::NetworkKey::derive("fuzz", "").value();
  return key;
}
inline const overlay::Identity& member() {
  static const overlay::Identity identity = overlay::Identity::generate();
  return identity;
}

inline void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace ipop::fuzz
