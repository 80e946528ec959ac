// One line of the daemon's, as a client takes it. An answer with an error is a failed Result.
#pragma once

#include <nlohmann/json.hpp>

namespace ipop::overlay::control {

struct Answer {
  nlohmann::ordered_json result;
  bool done = false;  // the last of several
};

}  // namespace ipop::overlay::control
