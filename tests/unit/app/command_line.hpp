// Runs `ipop` in this process, as its main() does, and keeps what it printed.
#pragma once

#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli/run.hpp"

namespace ipop::app {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// What a test wants to be otherwise than usual.
struct Surroundings {
  std::filesystem::path ipopd;
  std::chrono::milliseconds patience = std::chrono::seconds(10);
};

inline Outcome ipop(const std::vector<std::string>& arguments,
                    const Surroundings& surroundings = {}) {
  std::vector<const char*> argv{"ipop"};
  for (const std::string& argument : arguments)
    argv.push_back(argument.c_str());
  std::ostringstream out;
  std::ostringstream err;
  Context context{.out = out, .err = err};
  context.ipopd = surroundings.ipopd;
  context.patience = surroundings.patience;
  const int code = run_ipop(static_cast<int>(argv.size()), argv.data(), context);
  return {code, out.str(), err.str()};
}

}  // namespace ipop::app
