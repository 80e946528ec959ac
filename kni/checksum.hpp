// Checksums that the kernel left to its card, of a kind that the engine has no name for. Any
// thread; pure.
#pragma once

#include <cstddef>

#include "base/bytes.hpp"

namespace ipop::kni {

// Does what VIRTIO_NET_HDR_F_NEEDS_CSUM asks for (virtio 1.2 §5.1.6.2): sums from `start` to the
// end and stores the result `offset` bytes after `start`. False, and nothing is written, if that
// lies outside the frame or inside its Ethernet header.
[[nodiscard]] bool complete_checksum(MutableBytes frame, std::size_t start,
                                     std::size_t offset) noexcept;

}  // namespace ipop::kni
