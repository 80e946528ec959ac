// The Ethernet addresses of the virtual network. Nobody assigns them: each is derived from an
// inner IP address, so that the answer to "who has" is known without asking anybody.
// Any thread; pure.
#pragma once

#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::kni {

// IPv4 a.b.c.d is 02:49:a:b:c:d; IPv6 is 06 and 40 bits of a hash. Both are locally administered
// and unicast (IEEE 802 §8.4), and the first byte keeps the families apart. Two IPv6 addresses
// may share one: harmless, since frames are forwarded by their IP address.
[[nodiscard]] MacAddress derived_mac(const IpAddress& address) noexcept;

}  // namespace ipop::kni
