// Small pools of packets and of super-packets, as the engine makes them, on an EAL that wants no
// hugepages and no devices. Started once per test program, at first use.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

#include "engine/port/host_frame.hpp"
#include "frames.hpp"

namespace ipop::kni::testing {

inline constexpr std::uint16_t kDataRoom = 2048;
inline constexpr unsigned kPoolSize = 255;
inline constexpr unsigned kSuperPoolSize = 63;

// Null, after a failed expectation, if the EAL does not start.
[[nodiscard]] rte_mempool* packet_pool();
// The same, of buffers of 64 KiB.
[[nodiscard]] rte_mempool* super_pool();
// Of both.
[[nodiscard]] unsigned packets_in_use();

// The whole of `frame` in one piece; its inner source is where the IP header says. `frame` stays
// where it is for as long as this is used.
[[nodiscard]] engine::HostFrame host_frame(Bytes& frame);
// Copies a packet of any number of segments.
[[nodiscard]] Bytes to_bytes(const rte_mbuf* packet);

}  // namespace ipop::kni::testing
