// Which processors the daemon has, and which of them it leaves to lcores. Start-up thread.
#pragma once

#include <cstdint>
#include <vector>

namespace ipop::app {

// Those that this process may run on, in order; at least one.
[[nodiscard]] std::vector<std::uint32_t> usable_processors();

// The calling thread, and those that it makes, keep away from `taken` from now on, as long as that
// leaves them one.
void keep_off(const std::vector<std::uint32_t>& taken);

}  // namespace ipop::app
