#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"
#include "overlay/control/runtime_directory.hpp"

namespace ipop::app {
namespace {

using overlay::control::RuntimeDirectory;

constexpr std::chrono::milliseconds kEndLookInterval{20};

void stop_daemon(Context& context) {
  if (!or_throw(RuntimeDirectory::is_in_use(context.runtime))) {
    context.out << "ipopd is not running\n";
    return;
  }
  (void)ask(context, {{"command", "stop"}});
  // Its goodbyes to the peers come after the answer; the lock goes when the process does.
  const auto deadline = std::chrono::steady_clock::now() + context.patience;
  while (or_throw(RuntimeDirectory::is_in_use(context.runtime))) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw std::runtime_error("ipopd was told to stop and still runs: see its log");
    }
    std::this_thread::sleep_for(kEndLookInterval);
  }
  context.out << "ipopd has stopped\n";
}

}  // namespace

void add_down(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("down", "Stop the daemon");
  command->callback([&context] { stop_daemon(context); });
}

}  // namespace ipop::app
