// Sockets that lanes send by: a port of its own for each lane, so that the far end's card and
// kernel, and links that limit each flow, see several flows. Nothing is heard by them: what comes
// is dropped by the kernel. Opened at start; lcores share them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/ip.hpp"
#include "engine/port/udp_channel.hpp"

namespace ipop::engine {

class LaneSockets {
 public:
  // For lanes 1 to `count`, at each of `bound`, the wire's own sockets, with ports that the system
  // chooses. Throws std::runtime_error.
  LaneSockets(const std::vector<Endpoint>& bound, unsigned count, int buffer_bytes, bool trains);
  LaneSockets(const LaneSockets&) = delete;
  LaneSockets& operator=(const LaneSockets&) = delete;

  [[nodiscard]] unsigned count() const noexcept {
    return static_cast<unsigned>(std::max(v4_.size(), v6_.size()));
  }
  // By an Endpoint::socket and a family; nullptr if there is none.
  [[nodiscard]] UdpChannel* find(std::uint16_t socket, bool v4) noexcept;

 private:
  std::vector<UdpChannel> v4_;
  std::vector<UdpChannel> v6_;
};

}  // namespace ipop::engine
