// What a new configuration changes against the one in use: which keys take effect while running,
// and which wait for a restart. Pure; applying is the caller's.
#pragma once

#include <string_view>
#include <vector>

#include "conf/config.hpp"

namespace ipop::conf {

// Names of keys as in the file, in its order.
struct Changes {
  std::vector<std::string_view> live;
  std::vector<std::string_view> need_restart;

  [[nodiscard]] bool none() const noexcept { return live.empty() && need_restart.empty(); }
};

// log.*, trust.*, firewall.* but for max_flows, overlay.peers, overlay.bootstrap, overlay.relay.*,
// overlay.port_guessing and network.routes are live; nothing else is.
[[nodiscard]] Changes compare(const Config& running, const Config& next);

// `running` with the live keys of `next`: what runs once they are applied, and what the next reload
// is to be compared with.
[[nodiscard]] Config with_live_changes(Config running, const Config& next);

}  // namespace ipop::conf
