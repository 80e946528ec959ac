// One question to the router of the default route and its answer, by UDP: what NAT-PMP and PCP have
// in common. What others send does not count. Blocks; the port mapper's thread.
#pragma once

#include <functional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "overlay/port_mapping/patience.hpp"

namespace ipop::overlay {

// Sends it three times, after 0, 250 and 750 ms (RFC 6886 §3.1), until `take(answer)` is true or
// `patience` is over. False: there was no such answer.
[[nodiscard]] bool ask_gateway(const Endpoint& gateway, ByteView request, const Patience& patience,
                               const std::function<bool(ByteView answer)>& take);

}  // namespace ipop::overlay
