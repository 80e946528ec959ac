// Sockets of the wire beside the one whose port everybody is told: each leaves by a port of its
// own, and a NAT gives each a mapping of its own. An endpoint names the one that is meant. Overlay
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.hpp"

namespace ipop::engine {

class WireSockets {
 public:
  static constexpr std::size_t kMost = 320;  // at a time

  virtual ~WireSockets() = default;

  // Opens one for IPv4, with a port that the system chooses; returns what Endpoint::socket says of
  // it, from 1. Fails when kMost are open, or when the system or the wire has no more.
  [[nodiscard]] virtual Result<std::uint16_t> open_socket() = 0;
  // What is sent by it from now on is refused. Its number is not used again for a while.
  virtual void close_socket(std::uint16_t socket) = 0;

  // Lanes 1 to so many have ports of their own (lane_socket()).
  [[nodiscard]] virtual unsigned lane_ports() const { return 0; }
};

}  // namespace ipop::engine
