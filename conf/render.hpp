// The small configuration that `ipop init` writes: what the user said, each line explained, the
// rest left to the defaults. Any thread; it writes no file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace ipop::conf {

// Texts as the user gave them. Those that are empty, and lists without items, are left out.
struct InitialSettings {
  std::string network;
  std::string secret;
  Prefix address;
  std::string hostname;
  std::vector<std::string> bootstrap;
  std::vector<std::string> listen;
  std::string state;
  std::string runtime;
};

// Loads back to the same values. Throws std::runtime_error, with every reason, if a value is not
// one that a configuration may have (a line end in the name, a bad address).
[[nodiscard]] std::string render_initial(const InitialSettings& settings);

}  // namespace ipop::conf
