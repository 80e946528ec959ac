// Makes the wire that the configuration asks for, and says what the rest of the daemon has to know
// of it. Start-up thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.hpp"
#include "engine/engine.hpp"
#include "engine/port/port.hpp"

namespace ipop::app {

struct Wire {
  std::vector<std::unique_ptr<engine::WirePort>> ports;  // one for each lcore
  std::vector<Endpoint> bound;                           // one port; one IPv4 and/or one IPv6
  std::string name;                                      // "socket", "net_af_xdp"
  // Our addresses, where peers may reach it, with their links.
  std::function<std::vector<Prefix>()> addresses;
  // The MTU of its way to there.
  std::function<std::uint16_t(const Endpoint&)> mtu_towards;
  // The kernel's interfaces lead where it leads: a router may be asked to forward its port, and
  // members may be looked for on their links.
  bool is_kernels = true;
};

// Starts EAL if the wire needs it. Throws std::runtime_error with what to do about it.
[[nodiscard]] Wire make_wire(const conf::Config& config, const engine::EngineSettings& settings);

}  // namespace ipop::app
