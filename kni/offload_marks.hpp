// Between the two ways of saying that a frame is a super-packet or has a partial checksum: the
// virtio-net header of the tap, and the marks of the engine's frames (engine/port/port.hpp). Lcore;
// pure.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "engine/port/host_frame.hpp"
#include "kni/vnet_header.hpp"

namespace ipop::kni {

enum class Marking : std::uint8_t {
  kMarked,     // or there was nothing to mark
  kCompleted,  // a checksum of a kind that the engine does not know was made whole here
  kMalformed,  // the header makes no sense for this frame
};

// `frame` is one segment and starts at its Ethernet header.
[[nodiscard]] Marking mark_offloads(const VnetHeader& header, rte_mbuf* frame) noexcept;

[[nodiscard]] VnetHeader header_for(const engine::HostFrame& frame) noexcept;

}  // namespace ipop::kni
