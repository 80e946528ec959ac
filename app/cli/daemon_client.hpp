// The daemon as the subcommands see it: one request, one answer, a failure thrown.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "app/cli/command.hpp"
#include "overlay/status.hpp"

namespace ipop::app {

[[nodiscard]] nlohmann::ordered_json ask(const Context& context,
                                         const nlohmann::ordered_json& request);
[[nodiscard]] overlay::Status ask_status(const Context& context);

}  // namespace ipop::app
