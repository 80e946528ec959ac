// What `ipop doctor` found: one thing about this machine, whether it is good, and what to do.
#pragma once

#include <string>
#include <vector>

namespace ipop::app {

struct Finding {
  enum class Level {
    kGood,
    kNote,     // works, and could be better, or matters to a DPDK wire alone
    kProblem,  // the daemon will not start, or not work
  };

  Level level = Level::kGood;
  std::string topic;  // "hugepages"
  std::string text;
  std::string advice;  // empty: nothing to do

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

}  // namespace ipop::app
