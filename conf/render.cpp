#include "conf/render.hpp"

#include <stdexcept>

#include "conf/load.hpp"
#include "conf/utf8.hpp"

namespace ipop::conf {
namespace {

// A double-quoted YAML scalar. With control characters ruled out, only these two need an escape.
std::string yaml_quoted(std::string_view text) {
  if (!is_plain_text(text)) {
    throw std::runtime_error("a value must be UTF-8 without line ends or control characters");
  }
  std::string scalar = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') scalar += '\\';
    scalar += c;
  }
  return scalar + "\"";
}

std::string yaml_list(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) {
    list += (list.empty() ? "[" : ", ") + yaml_quoted(item);
  }
  return list + "]";
}

std::string network_section(const InitialSettings& settings) {
  std::string text =
      "# Whoever knows the name and the secret can join: keep this file private.\n"
      "network:\n"
      "  # The same on every machine of the network.\n"
      "  name: " +
      yaml_quoted(settings.network) + "\n";
  if (!settings.secret.empty()) text += "  secret: " + yaml_quoted(settings.secret) + "\n";
  text += "  # This machine's own address, and the size of the virtual network.\n  address: " +
          settings.address.to_string() + "\n";
  if (!settings.hostname.empty()) {
    text += "  # The name under which the others see it.\n  hostname: " +
            yaml_quoted(settings.hostname) + "\n";
  }
  return text;
}

std::string overlay_section(const InitialSettings& settings) {
  if (settings.listen.empty() && settings.bootstrap.empty()) return "";
  std::string text = "\noverlay:\n";
  if (!settings.listen.empty()) {
    text += "  # The one UDP port that everything goes through.\n  listen: " +
            yaml_list(settings.listen) + "\n";
  }
  if (!settings.bootstrap.empty()) {
    text += "  # Where the distributed hash table is entered.\n  bootstrap: " +
            yaml_list(settings.bootstrap) + "\n";
  }
  return text;
}

std::string paths_section(const InitialSettings& settings) {
  if (settings.state.empty() && settings.runtime.empty()) return "";
  std::string text = "\npaths:\n";
  if (!settings.state.empty()) text += "  state: " + yaml_quoted(settings.state) + "\n";
  if (!settings.runtime.empty()) text += "  runtime: " + yaml_quoted(settings.runtime) + "\n";
  return text;
}

}  // namespace

std::string render_initial(const InitialSettings& settings) {
  const std::string text =
      "# The configuration of IPOP on this machine, written by \"ipop init\".\n"
      "# example.yaml, next to the documentation, explains every key. Check a change with\n"
      "#   ipopd --config FILE --check\n\n" +
      network_section(settings) + overlay_section(settings) + paths_section(settings);
  if (const auto loaded = load_text(text, "configuration"); !loaded) {
    std::string reasons;
    for (const ConfigError& error : loaded.error()) {
      reasons += (reasons.empty() ? "" : "\n") + error.message;
    }
    throw std::runtime_error(reasons);
  }
  return text;
}

}  // namespace ipop::conf
