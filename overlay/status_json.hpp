// The JSON form of the status, for the control socket, `ipop status --json` and back. Stable: keys
// are added, never renamed. An unknown number is null and an unknown text empty. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.hpp"
#include "overlay/status.hpp"

namespace ipop::overlay {

[[nodiscard]] nlohmann::ordered_json to_json(const Status& status);
[[nodiscard]] nlohmann::ordered_json to_json(const PeerStatus& peer);

// A daemon of another version may know more keys, or fewer: those that are missing keep their
// defaults and those that are new are skipped. Fails if a key that is there has the wrong type.
[[nodiscard]] Result<Status> status_from_json(const nlohmann::ordered_json& json);
[[nodiscard]] Result<PeerStatus> peer_from_json(const nlohmann::ordered_json& json);

// As text on one line; `indent` < 0 leaves out all white space. Bytes that are not UTF-8 become
// U+FFFD.
[[nodiscard]] std::string to_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace ipop::overlay
