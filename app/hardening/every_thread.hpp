// Runs something in each thread of the process: a thread's capabilities can be given up by itself
// alone. Start-up thread only, one call at a time. A thread that blocks all signals is not reached.
#pragma once

#include <cstdint>

namespace ipop::app::hardening {

// Must be fit for a signal handler.
using ThreadAction = int (*)(std::uint64_t argument) noexcept;

// Runs `action(argument)` in the calling thread and, by a signal, in each other one, and waits for
// them, a second for each at most. Returns in how many it did not run, or did not return 0.
[[nodiscard]] unsigned run_in_every_thread(ThreadAction action, std::uint64_t argument);

}  // namespace ipop::app::hardening
