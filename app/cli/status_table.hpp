// The status as people read it: a head about the node, a table of its peers, and one peer in full.
// Pure: values in, text out.
#pragma once

#include <string>
#include <vector>

#include "overlay/status.hpp"

namespace ipop::app {

[[nodiscard]] std::string node_text(const overlay::Status& status);
[[nodiscard]] std::string peers_text(const std::vector<overlay::PeerStatus>& peers);
[[nodiscard]] std::string peer_text(const overlay::PeerStatus& peer);

// "lan", "direct", "relay through 3f9a0c11".
[[nodiscard]] std::string path_text(overlay::PathKind path,
                                    const std::vector<std::string>& relay_via);

}  // namespace ipop::app
