// Answers to pings of our own addresses (RFC 792, RFC 4443 §4.2). Pure; lcores.
#pragma once

#include "base/bytes.hpp"

namespace ipop::engine {

// Turns the frame of a whole ICMP or ICMPv6 echo request, whose IP header stands at `ip`, into that
// of its reply, to the station it came from. False, and nothing is changed, if it is anything else,
// if its checksum is wrong, or if it came from no single host.
[[nodiscard]] bool turn_into_echo_reply(MutableBytes frame, std::size_t ip) noexcept;

}  // namespace ipop::engine
