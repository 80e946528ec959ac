// What the kernel knows of one of its interfaces: for a wire that is driven beside it, or in its
// place. Start-up thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace ipop::app {

struct KernelInterface {
  // The first of each family that is not link-local, with its link's prefix.
  std::vector<Prefix> addresses;
  std::vector<IpAddress> gateways;  // of the default routes through it
};

// Empty if the kernel knows nothing of it. `proc`: the kernel's routes.
[[nodiscard]] KernelInterface read_kernel_interface(const std::string& name,
                                                    const std::filesystem::path& proc = "/proc");

}  // namespace ipop::app
