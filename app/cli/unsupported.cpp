#include "app/cli/command.hpp"

namespace ipop::app {

void add_unsupported(CLI::App& app, Context& /*context*/) {
  for (const char* name : {"ca"}) {
    CLI::App* command = app.add_subcommand(name, "(not supported yet)");
    // Whatever its arguments will be, they are its own, and none of them wrong yet.
    command->allow_extras()->fallthrough(false);
    command->callback([name] { throw UsageError(std::string(name) + " is not supported yet"); });
  }
}

}  // namespace ipop::app
