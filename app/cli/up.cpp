#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "app/cli/command.hpp"
#include "app/cli/daemon_process.hpp"
#include "conf/load.hpp"
#include "overlay/control/client.hpp"
#include "overlay/control/runtime_directory.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {
namespace {

using overlay::Status;
using overlay::control::Client;
using overlay::control::RuntimeDirectory;

constexpr std::chrono::milliseconds kStartLookInterval{20};
constexpr std::chrono::seconds kTerminatePatience{3};
constexpr std::size_t kLinesShown = 10;

conf::Config checked_configuration(const std::filesystem::path& file) {
  auto loaded = conf::load_file(file);
  if (!loaded) {
    std::string errors = to_string(loaded.error());
    while (errors.ends_with('\n'))
      errors.pop_back();
    throw UsageError("the configuration is not good\n" + errors);
  }
  return *std::move(loaded);
}

// The control socket answers only once the interface is there.
std::optional<Status> status_if_up(const std::filesystem::path& runtime) {
  auto client = Client::connect(runtime);
  if (!client) return std::nullopt;
  const auto answer = client->call({{"command", "status"}}, kAnswerTimeout);
  if (!answer) return std::nullopt;
  auto status = overlay::status_from_json(*answer);
  if (!status) return std::nullopt;
  return *std::move(status);
}

void print_up(Context& context, const Status& status, std::string_view how) {
  context.out << fmt::format("{} {}: {}\n", status.interface.name, how,
                             fmt::join(status.addresses, ", "));
}

[[noreturn]] void throw_with_output(const DaemonProcess& daemon, const std::string& what) {
  const std::string output = daemon.last_output(kLinesShown);
  throw std::runtime_error(what + (output.empty() ? "" : ":\n" + output) + "\n(from " +
                           daemon.log().string() + ")");
}

Status wait_until_up(DaemonProcess& daemon, const std::filesystem::path& runtime,
                     std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto status = status_if_up(runtime)) return *status;
    if (const auto code = daemon.ended()) {
      throw_with_output(daemon, fmt::format("ipopd did not come up, it ended with {}", *code));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      daemon.terminate(kTerminatePatience);
      throw_with_output(daemon, "ipopd was not up in time and was stopped");
    }
    std::this_thread::sleep_for(kStartLookInterval);
  }
}

void start_daemon(Context& context, const std::filesystem::path& file) {
  const conf::Config config = checked_configuration(file);
  const std::filesystem::path& runtime = config.paths.runtime;
  if (context.runtime_given && context.runtime != runtime) {
    throw UsageError(fmt::format("--runtime is {} and the configuration says {}: change one",
                                 context.runtime.string(), runtime.string()));
  }
  if (or_throw(RuntimeDirectory::is_in_use(runtime))) {
    const auto status = status_if_up(runtime);
    if (!status) throw std::runtime_error("ipopd is running already, and does not answer");
    print_up(context, *status, "is up already");
    return;
  }
  if (!std::filesystem::is_directory(config.paths.state)) {
    throw std::runtime_error("the state directory " + config.paths.state.string() +
                             " is not there: run `ipop init` first");
  }
  DaemonProcess daemon(context.ipopd.empty() ? find_ipopd() : context.ipopd, file,
                       config.paths.state / "ipopd.log");
  print_up(context, wait_until_up(daemon, runtime, context.patience), "is up");
}

}  // namespace

void add_up(CLI::App& app, Context& context) {
  const auto file = std::make_shared<std::filesystem::path>("/etc/ipop/ipop.yaml");
  CLI::App* command = app.add_subcommand("up", "Start the daemon in the background");
  command->add_option("--config", *file, "The configuration")->capture_default_str();
  command->callback([&context, file] { start_daemon(context, *file); });
}

}  // namespace ipop::app
