// The network cards of this machine, as the kernel lists them, and what DPDK could do with each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/doctor/finding.hpp"

namespace ipop::app {

struct NetworkCard {
  std::string address;        // of PCI, "0000:00:05.0", or of VMBus
  std::string ids;            // "1d0f:ec20"; empty on VMBus
  std::string kernel_driver;  // empty: none is bound
  std::vector<std::string> interfaces;
  std::string dpdk_driver;  // "net_ena"; empty: none of this build takes it
};

// `root`: the machine's file system, for tests another one.
[[nodiscard]] std::vector<NetworkCard> find_network_cards(const std::filesystem::path& root);

// What can be said of each.
[[nodiscard]] Findings judge_network_cards(const std::vector<NetworkCard>& cards);

}  // namespace ipop::app
