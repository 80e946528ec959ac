#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"

namespace ipop::app {
namespace {

using Json = nlohmann::ordered_json;

// The keys of one list of the daemon's report, each on a line; returns how many.
std::size_t print_keys(Context& context, const Json& report, const char* list,
                       const char* heading) {
  const auto found = report.find(list);
  if (found == report.end() || !found->is_array() || found->empty()) return 0;
  context.out << heading << '\n';
  for (const Json& key : *found) {
    if (key.is_string()) context.out << "  " << key.get_ref<const std::string&>() << '\n';
  }
  return found->size();
}

void reload(Context& context) {
  const Json report = ask(context, {{"command", "reload"}});
  const std::size_t changes =
      print_keys(context, report, "applied", "changed now:") +
      print_keys(context, report, "needs_restart", "changes after `ipop down` and `ipop up`:");
  if (changes == 0) context.out << "the configuration is as it was\n";
}

}  // namespace

void add_reload(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("reload", "Have the daemon read its configuration again");
  command->callback([&context] { reload(context); });
}

}  // namespace ipop::app
