#include "engine/firewall/firewall.hpp"

#include <utility>

namespace ipop::engine::firewall {
std::unique_ptr<const PublishedRules> Firewall::prepare(const conf::Firewall& rules) {
  if (!flows_) flows_ = std::make_unique<FlowTable>(rules.max_flows);
  auto prepared =
      std::make_unique<PublishedRules>(PublishedRules{RuleSet(rules), ++generation_, *flows_, {}});
  // 0 stands for no rules.
  if (prepared->generation == 0) prepared->generation = generation_ = 2;
  for (std::uint32_t i = 0; i < lcores_; ++i) {
    prepared->counters.push_back(
        std::make_unique<RuleCounter[]>(prepared->rules.size() + 2 * kFirstCounter));
  }
  return prepared;
}

std::unique_ptr<const PublishedRules> Firewall::publish(
    std::unique_ptr<const PublishedRules> rules) {
  return std::unique_ptr<const PublishedRules>(
      rules_.exchange(rules.release(), std::memory_order_acq_rel));
}

FirewallCounts Firewall::counts(std::uint32_t now_s) const {
  const PublishedRules* const rules = rules_.load(std::memory_order_relaxed);
  if (rules == nullptr) return {};
  FirewallCounts counts{.on = true,
                        .flows = flows_->count(now_s),
                        .max_flows = flows_->size(),
                        .rules = std::vector<RuleCount>(rules->rules.size())};
  for (const auto& lcore : rules->counters) {
    for (std::size_t i = 0; i < counts.rules.size(); ++i) {
      counts.rules[i].packets += lcore[kFirstCounter + i].packets.get();
      counts.rules[i].bytes += lcore[kFirstCounter + i].bytes.get();
    }
  }
  return counts;
}

}  // namespace ipop::engine::firewall
