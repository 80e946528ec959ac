// One HTTP request and its answer over a connection of its own, bounded in time and size. Blocks;
// the port mapper's thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/ip.hpp"
#include "overlay/port_mapping/http_answer.hpp"
#include "overlay/port_mapping/patience.hpp"

namespace ipop::overlay::http {

// Nothing: the server is not there, too slow, or does not speak HTTP. The request goes in one
// piece, as there are routers that read no more than one.
[[nodiscard]] std::optional<Answer> exchange(const Endpoint& server, std::string_view request,
                                             const Patience& patience);

}  // namespace ipop::overlay::http
