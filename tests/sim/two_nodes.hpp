// Alice and Bob, whom most stories are about.
#pragma once

#include "tests/sim/world.hpp"

namespace ipop::sim {

inline NodeOptions alice() {
  return {.name = "alice", .address = "192.168.10.10/24", .underlay = {"10.0.1.1/24"}};
}
inline NodeOptions bob() {
  return {.name = "bob", .address = "192.168.10.20/24", .underlay = {"10.0.2.1/24"}};
}
inline const char* const kAlice = "192.168.10.10";
inline const char* const kBob = "192.168.10.20";

}  // namespace ipop::sim
