#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"
#include "app/cli/quantity.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {
namespace {

void list_rules(Context& context, bool json) {
  if (json) {
    const nlohmann::ordered_json answer = ask(context, {{"command", "status"}});
    const auto found = answer.find("firewall");
    if (found == answer.end()) throw std::runtime_error("the daemon knows of no firewall");
    context.out << overlay::to_text(*found, 2) << '\n';
    return;
  }
  const overlay::FirewallStatus firewall = ask_status(context).firewall;
  if (!firewall.on) {
    context.out << "there are no rules: everything passes\n";
    return;
  }
  std::string direction;
  for (const overlay::FirewallRuleStatus& one : firewall.rules) {
    if (one.direction != direction) {
      direction = one.direction;
      context.out << direction << '\n';
    }
    const std::string name = one.name.empty() ? "" : " (" + one.name + ")";
    context.out << fmt::format("  {:>18}  {:>8}  {}\n",
                               count_text(one.packets, "packet", "packets"), bytes_text(one.bytes),
                               printable(one.rule + name));
  }
  context.out << fmt::format("{} of {} at most\n", count_text(firewall.flows, "flow", "flows"),
                             firewall.max_flows);
}

}  // namespace

void add_firewall(CLI::App& app, Context& context) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand(
      "firewall", "Show the rules in force and what they counted, or test those of a file");
  command->require_subcommand(0, 1);
  command->add_flag("--json", *json, "As JSON");
  add_firewall_test(*command, context);
  command->callback([&context, command, json] {
    if (command->get_subcommands().empty()) list_rules(context, *json);
  });
}

}  // namespace ipop::app
