// The Internet checksum (RFC 1071), for the port's own answers and for frames that the kernel
// hands over with a partial one. Any thread; nothing allocates. Bulk traffic never comes here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace ipop::kni {

// Adds the big-endian 16-bit words of `bytes` to `sum`; a last odd byte counts as a high byte, so
// only the last piece of a message may be odd.
[[nodiscard]] std::uint64_t add_words(std::uint64_t sum, ByteView bytes) noexcept;
// The field's value for a sum: folded to 16 bits and inverted. Zero over a message that carries its
// own right checksum.
[[nodiscard]] std::uint16_t fold_checksum(std::uint64_t sum) noexcept;
// Of an ICMPv6 message with its pseudo-header (RFC 8200 §8.1); addresses are 16 bytes each.
[[nodiscard]] std::uint16_t icmpv6_checksum(ByteView source, ByteView destination,
                                            ByteView message) noexcept;
// Does what VIRTIO_NET_HDR_F_NEEDS_CSUM asks for (virtio 1.2 §5.1.6.2): sums from `start` to the
// end and stores the result `offset` bytes after `start`. False, and nothing is written, if that
// lies outside the frame or inside its Ethernet header.
[[nodiscard]] bool complete_checksum(MutableBytes frame, std::size_t start,
                                     std::size_t offset) noexcept;

}  // namespace ipop::kni
