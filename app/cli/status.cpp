#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"
#include "app/cli/status_table.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {
namespace {

using Json = nlohmann::ordered_json;

struct StatusOptions {
  std::string peer;
  bool json = false;
  bool watch = false;
};

// Moves the cursor home and clears what is below it (ECMA-48 CUP, ED).
constexpr const char* kClearScreen = "\x1b[H\x1b[J";
constexpr std::chrono::seconds kWatchInterval{1};

std::string show_peer(const Context& context, const StatusOptions& options) {
  const Json answer = ask(context, {{"command", "peer"}, {"who", options.peer}});
  if (options.json) return overlay::to_text(answer, options.watch ? -1 : 2) + '\n';
  return peer_text(or_throw(overlay::peer_from_json(answer)));
}

std::string show_node(const Context& context, const StatusOptions& options) {
  const Json answer = ask(context, {{"command", "status"}});
  if (options.json) return overlay::to_text(answer, options.watch ? -1 : 2) + '\n';
  const overlay::Status status = or_throw(overlay::status_from_json(answer));
  return node_text(status) + '\n' + peers_text(status.peers);
}

void print_status(Context& context, const StatusOptions& options) {
  const auto text = [&] {
    return options.peer.empty() ? show_node(context, options) : show_peer(context, options);
  };
  if (!options.watch) {
    context.out << text();
    return;
  }
  // Until it is interrupted, the daemon goes away, or nobody reads any more.
  while (context.out) {
    const std::string shown = text();
    if (!options.json) context.out << kClearScreen;
    context.out << shown << std::flush;
    std::this_thread::sleep_for(kWatchInterval);
  }
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand("status", "Show the node and its peers");
  command->add_option("peer", options->peer,
                      "Show this peer in full: an address, a hostname, or the first digits of a "
                      "node id");
  command->add_flag("--json", options->json, "As JSON; with --watch one object a line");
  command->add_flag("--watch", options->watch, "Again every second, until interrupted");
  command->callback([&context, options] { print_status(context, *options); });
}

void add_peers(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("peers", "Show the peers only");
  command->callback([&context] { context.out << peers_text(ask_status(context).peers); });
}

}  // namespace ipop::app
