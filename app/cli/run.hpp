// The whole of `ipop` but main(): takes the command line apart, runs the subcommand, and turns
// every failure into one sentence and an exit code. Nothing is thrown from here.
#pragma once

#include "app/cli/command.hpp"

namespace ipop::app {

// 0 ok, 1 failure, 2 bad usage or configuration.
[[nodiscard]] int run_ipop(int argc, const char* const* argv, Context context);

}  // namespace ipop::app
