// Starts DPDK's environment layer (EAL): the one place that builds its argument list. Start-up
// thread only, once in a process: EAL cannot be started twice, so later calls do nothing. It scans
// no devices but the one that it is told of, and has no telemetry and no second process; lcores are
// threads of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/config.hpp"

namespace ipop::engine {

struct EalSettings {
  conf::Hugepages hugepages = conf::Hugepages::kAuto;
  // What rings, tables and buffers need. Without hugepages it is the most that EAL will ever have,
  // reserved and not touched.
  std::uint32_t memory_mb = 64;
  std::string pci_device;  // the one that may be used, "0000:00:05.0"; empty = none
};

// Throws std::runtime_error with what to do about it.
void start_eal(const EalSettings& settings);

// Whether cards are told physical addresses, as without an IOMMU. Then more memory, which may be
// needed at any time, can be had with CAP_SYS_ADMIN alone. After start_eal().
[[nodiscard]] bool has_physical_addresses() noexcept;

// Whether the kernel lets this process have a hugepage of `size` bytes: in a container the
// machine's may be free, yet out of reach.
[[nodiscard]] bool can_map_hugepage(std::uint64_t size);

// The arguments for a process that may run on `cpus`; `with_hugepages` as found on the machine.
[[nodiscard]] std::vector<std::string> eal_arguments(const EalSettings& settings,
                                                     bool with_hugepages,
                                                     const std::vector<unsigned>& cpus);

}  // namespace ipop::engine
