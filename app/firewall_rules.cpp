#include "app/firewall_rules.hpp"

#include "engine/firewall/rule_text.hpp"

namespace ipop::app {

using engine::firewall::Direction;

engine::firewall::PeerNames names_for_rules(const overlay::ProvenNames& names) {
  return {.names = names.names, .node_id = names.node_id, .groups = names.groups};
}

overlay::FirewallStatus firewall_status(const conf::Firewall& rules,
                                        const engine::FirewallCounts& counts) {
  overlay::FirewallStatus status{
      .on = counts.on, .flows = counts.flows, .max_flows = counts.max_flows, .rules = {}};
  std::size_t next = 0;
  const auto add = [&](const char* direction, std::string name, std::string text,
                       std::size_t index) {
    const engine::RuleCount count =
        index < counts.rules.size() ? counts.rules[index] : engine::RuleCount{};
    status.rules.push_back({.direction = direction,
                            .name = std::move(name),
                            .rule = std::move(text),
                            .packets = count.packets,
                            .bytes = count.bytes});
  };
  const auto add_all = [&](const char* direction, const std::vector<conf::FirewallRule>& list,
                           Direction way, conf::FirewallAction otherwise, std::size_t last) {
    for (const conf::FirewallRule& rule : list)
      add(direction, rule.name, engine::firewall::text_of(rule, way), next++);
    add(direction, "", std::string(engine::firewall::word_of(otherwise)) + " by default", last);
  };
  if (!counts.on) return status;
  const std::size_t defaults = rules.inbound.size() + rules.outbound.size();
  add_all("inbound", rules.inbound, Direction::kIn, rules.default_inbound, defaults);
  add_all("outbound", rules.outbound, Direction::kOut, rules.default_outbound, defaults + 1);
  return status;
}

}  // namespace ipop::app
