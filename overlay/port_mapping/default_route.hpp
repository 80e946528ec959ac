// Where this host's IPv4 traffic to the internet goes. Asks the kernel; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "overlay/port_mapping/mapping_protocol.hpp"

namespace ipop::overlay {

// The default route with the smallest metric that has a gateway; not through the interface `except`
// (the virtual one). Nothing if there is none.
[[nodiscard]] std::optional<Route> default_route(std::string_view except);

// The same from the kernel's table as text, /proc/net/route: the gateway only.
[[nodiscard]] std::optional<IpAddress> default_gateway(std::string_view table,
                                                       std::string_view except);

}  // namespace ipop::overlay
