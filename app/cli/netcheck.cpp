#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"
#include "app/cli/netcheck_text.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {

void add_netcheck(CLI::App& app, Context& context) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("netcheck", "Show how this node looks from outside, and its NATs");
  command->add_flag("--json", *json, "As JSON");
  command->callback([&context, json] {
    const nlohmann::ordered_json status = ask(context, {{"command", "status"}});
    context.out << (*json ? overlay::to_text(status.at("nat"), 2) + '\n'
                          : netcheck_text(or_throw(overlay::status_from_json(status)).nat));
  });
}

}  // namespace ipop::app
