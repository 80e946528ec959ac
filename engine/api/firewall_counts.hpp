// What the firewall has counted, for status: a value, read by the overlay thread.
#pragma once

#include <cstdint>
#include <vector>

namespace ipop::engine {

struct RuleCount {
  std::uint64_t packets =
      0;                    // that the rule decided about, those of flows that it allowed included
  std::uint64_t bytes = 0;  // of inner packets
};

struct FirewallCounts {
  bool on = false;  // there are rules
  std::uint64_t flows = 0;
  std::uint64_t max_flows = 0;
  // Inbound rules in their order, outbound rules, the inbound default, the outbound one.
  std::vector<RuleCount> rules;
};

}  // namespace ipop::engine
