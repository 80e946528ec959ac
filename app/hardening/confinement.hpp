// What the daemon gives up once it has opened what needs rights, so that whoever takes it over
// through a packet has little of the machine: capabilities, most of the kernel's system calls, and
// memory that others may read. Start-up thread only, but for hardening_status().
#pragma once

#include <filesystem>

#include "app/hardening/capabilities.hpp"
#include "app/hardening/system_call_filter.hpp"
#include "conf/config.hpp"
#include "overlay/status.hpp"

namespace ipop::app::hardening {

// What this wire needs while running, and decision 20 says why.
struct Confines {
  Capabilities keep = 0;
  FilterExceptions exceptions;
};

[[nodiscard]] Confines confines_for(const conf::Wire& wire, bool physical_addresses);

// Before keys are read: no other process of the same user reads our memory, no crash writes it to
// a file, and no program that is executed gains rights.
void keep_memory_private() noexcept;

// For all threads, for good. What the machine does not offer is logged as a warning and not in
// force, and so are files that the daemon uses later and can no longer reach.
void confine(const Confines& confines, const std::filesystem::path& config,
             const std::filesystem::path& state);

// What is in force, asked of the kernel, in the thread that has least of it. Any thread.
[[nodiscard]] overlay::HardeningStatus hardening_status(
    const std::filesystem::path& process = "/proc/self");

}  // namespace ipop::app::hardening
