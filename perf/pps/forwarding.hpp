// The floor under a DPDK port: what its driver and rings cost, if every frame is received and sent
// on as it is, like dpdk-testpmd in its io mode.
#pragma once

#include <vector>

namespace ipop::perf {

// Nanoseconds a frame of 64 bytes, batch by batch.
[[nodiscard]] std::vector<double> forwarding_ns();

}  // namespace ipop::perf
