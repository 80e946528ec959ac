// Linux capabilities, as sets of bits: what root may do beyond others. Any thread, each for itself;
// for those of the whole process see every_thread.hpp.
#pragma once

#include <linux/capability.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ipop::app::hardening {

using Capabilities = std::uint64_t;

constexpr Capabilities capability(unsigned number) {
  return Capabilities{1} << number;
}

// Gives up all but `keep`, for good, in the calling thread alone. What the thread did not have, it
// does not get. Allocates nothing and may run in a signal handler. Returns 0, or errno's number.
[[nodiscard]] int keep_capabilities(Capabilities keep) noexcept;

// "net_admin", by number; a number for what this list does not know.
[[nodiscard]] std::vector<std::string> names_of(Capabilities set);

}  // namespace ipop::app::hardening
