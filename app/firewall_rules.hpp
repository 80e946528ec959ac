// The firewall between its configuration, what the overlay knows of peers, what the engine counts,
// and what people read. Pure.
#pragma once

#include "conf/firewall.hpp"
#include "engine/api/firewall_counts.hpp"
#include "engine/firewall/rule_set.hpp"
#include "overlay/peer/peer.hpp"
#include "overlay/status.hpp"

namespace ipop::app {

[[nodiscard]] engine::firewall::PeerNames names_for_rules(const overlay::ProvenNames& names);

// `counts` are of these rules.
[[nodiscard]] overlay::FirewallStatus firewall_status(const conf::Firewall& rules,
                                                      const engine::FirewallCounts& counts);

}  // namespace ipop::app
