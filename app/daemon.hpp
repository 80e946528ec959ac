// The daemon: builds the interface, the engine, the directory and the overlay from a configuration,
// joins them, and runs until it is told to stop. The calling thread becomes the overlay thread.
#pragma once

#include <filesystem>

#include "conf/config.hpp"

namespace ipop::app {

// Returns after an orderly stop (a signal or `ipop down`). Throws std::runtime_error with a
// sentence for the user if it cannot start or must not go on; nothing half-made is left then.
void run_daemon(const conf::Config& config, const std::filesystem::path& file);

}  // namespace ipop::app
