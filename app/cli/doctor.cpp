#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/doctor/machine.hpp"
#include "app/doctor/network_cards.hpp"
#include "app/doctor/wire_device.hpp"
#include "conf/load.hpp"

namespace ipop::app {
namespace {

const char* name(Finding::Level level) {
  switch (level) {
    case Finding::Level::kGood:
      return "good";
    case Finding::Level::kNote:
      return "note";
    case Finding::Level::kProblem:
      break;
  }
  return "problem";
}

void examine_configuration(const std::filesystem::path& file, const std::filesystem::path& root,
                           Findings& findings) {
  Finding finding{.topic = "configuration", .text = file.string() + " is right", .advice = {}};
  const auto config = conf::load_file(file);
  if (!config) {
    finding.level = Finding::Level::kProblem;
    finding.text = file.string() + " cannot be used";
    finding.advice = "ipopd --config " + file.string() + " --check says why";
  }
  findings.push_back(std::move(finding));
  if (config) findings.push_back(examine_wire(config->wire, root));
}

void print(std::ostream& out, const Finding& finding) {
  out << name(finding.level) << "  " << finding.topic << ": " << finding.text << '\n';
  if (!finding.advice.empty()) out << "      " << finding.advice << '\n';
}

nlohmann::ordered_json to_json(const Findings& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const Finding& each : findings) {
    list.push_back({{"level", name(each.level)},
                    {"topic", each.topic},
                    {"text", each.text},
                    {"advice", each.advice}});
  }
  return list;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  struct Options {
    bool json = false;
    std::filesystem::path config;
    std::filesystem::path root = "/";
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("doctor", "Look at this machine, and say what to do for the daemon");
  command->add_flag("--json", options->json, "As JSON");
  command->add_option("--config", options->config, "A configuration, whose wire is looked at, too");
  command->add_option("--root", options->root, "Another machine's file system")->group("");
  command->callback([&context, options] {
    Findings findings = examine_machine(options->root);
    for (Finding& card : judge_network_cards(find_network_cards(options->root)))
      findings.push_back(std::move(card));
    if (!options->config.empty()) {
      examine_configuration(options->config, options->root, findings);
    }
    if (options->json) {
      context.out << to_json(findings).dump(2) << '\n';
    } else {
      for (const Finding& each : findings)
        print(context.out, each);
    }
    for (const Finding& each : findings) {
      if (each.level == Finding::Level::kProblem) context.exit_code = kFailure;
    }
  });
}

}  // namespace ipop::app
