// The floor under a DPDK port: what its driver costs, if every frame is received and sent on, like
// dpdk-testpmd in two of its modes.
#pragma once

#include <cstdint>
#include <vector>

namespace ipop::perf {

enum class Forwarding : std::uint8_t {
  kIo,   // as it is, without a look
  kMac,  // with other Ethernet addresses
};

// Wire: RingWire or MemifWire. Nanoseconds a frame of 64 bytes, batch by batch.
template <typename Wire>
[[nodiscard]] std::vector<double> forwarding_ns(Forwarding how);

}  // namespace ipop::perf
