// The addresses of this host's interfaces, where peers may reach it. Asks the kernel; overlay
// thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip.hpp"

namespace ipop::overlay {

// With their prefix lengths, in a stable order; without loopback, link-local and down interfaces,
// and without the interface `except` (the virtual one). Empty if the kernel does not say.
[[nodiscard]] std::vector<Prefix> local_addresses(std::string_view except);

// The MTU of the route to `endpoint`, as the kernel knows it now; 1500 if it does not say.
[[nodiscard]] std::uint16_t link_mtu_towards(const Endpoint& endpoint);

}  // namespace ipop::overlay
