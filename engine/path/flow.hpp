// Which flow an IP packet belongs to, as a number: what has the same addresses, protocol and ports
// has the same one. Lcores; pure.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

namespace ipop::engine {

// `packet` starts at an IP header that was parsed. Fragments, and what is neither TCP nor UDP, are
// told apart by their addresses alone.
[[nodiscard]] std::uint32_t flow_hash(const rte_mbuf* packet) noexcept;

}  // namespace ipop::engine
