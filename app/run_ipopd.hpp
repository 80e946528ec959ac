// The command line of `ipopd`, and the one place of the daemon that catches: whatever goes wrong
// becomes a sentence on standard error and an exit code.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>

#include "conf/config.hpp"

namespace ipop::app {

// Runs the daemon with a configuration that is good, until it is told to stop. `file` is where the
// configuration came from, to be read again on a reload.
using RunDaemon = std::function<void(const conf::Config&, const std::filesystem::path& file)>;

// 0 ok, 1 failure, 2 bad usage or configuration.
[[nodiscard]] int run_ipopd(int argc, const char* const* argv, const RunDaemon& daemon,
                            std::ostream& out, std::ostream& err);

}  // namespace ipop::app
