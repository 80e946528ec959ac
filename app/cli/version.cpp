#include "app/version.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/quantity.hpp"
#include "overlay/control/client.hpp"

namespace ipop::app {
namespace {

using overlay::control::Client;

// The daemon may be older than this program, after an upgrade. That none runs is no failure here.
void print_version(Context& context) {
  context.out << "ipop " << version() << '\n';
  auto client = Client::connect(context.runtime);
  if (!client) return;
  const auto answer = client->call({{"command", "version"}}, kAnswerTimeout);
  if (!answer || !answer->is_object() || !answer->contains("version")) return;
  const auto& running = (*answer)["version"];
  if (!running.is_string()) return;
  context.out << "ipopd " << printable(running.get<std::string>()) << " (running)\n";
}

}  // namespace

void add_version(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("version", "Show the version of ipop and of the daemon");
  command->callback([&context] { print_version(context); });
}

}  // namespace ipop::app
