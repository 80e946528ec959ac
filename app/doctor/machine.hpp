// What this machine has of what the daemon needs: rights, the tap, the processor's instructions,
// huge pages, the way to hand a card to a program.
#pragma once

#include <cstdint>
#include <filesystem>

#include "app/doctor/finding.hpp"

namespace ipop::app {

// `root`: the machine's file system, for tests another one.
[[nodiscard]] Findings examine_machine(const std::filesystem::path& root);

// Free huge pages, in MiB.
[[nodiscard]] std::uint64_t free_hugepages_mb(const std::filesystem::path& root);
// A card can be handed over: by an IOMMU, or by a vfio that does without one.
[[nodiscard]] bool has_iommu(const std::filesystem::path& root);
[[nodiscard]] bool allows_no_iommu(const std::filesystem::path& root);

}  // namespace ipop::app
