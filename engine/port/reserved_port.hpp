// A UDP port that the kernel may give to nobody else, and for which it answers no datagram with
// "unreachable": a socket that takes nothing in. For a wire that is polled beside the kernel.
#pragma once

#include <optional>

#include "base/fd.hpp"
#include "base/ip.hpp"

namespace ipop::engine {

class ReservedPort {
 public:
  // Nothing if somebody has it, or the address is not this machine's.
  [[nodiscard]] static std::optional<ReservedPort> of(const Endpoint& endpoint);

 private:
  explicit ReservedPort(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
};

}  // namespace ipop::engine
