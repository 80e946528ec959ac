// The firewall of an engine: the rules in force, what lcores count of them, and the flows that they
// allowed. The overlay thread publishes rules and reads counters; lcores read the rules, once a
// burst, and write counters of their own. Without rules there is nothing but a null pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/api/firewall_counts.hpp"
#include "engine/firewall/flow_table.hpp"
#include "engine/firewall/rule_set.hpp"
#include "engine/owned_counter.hpp"

namespace ipop::engine::firewall {

// One lcore's, of one rule.
struct RuleCounter {
  OwnedCounter packets;
  OwnedCounter bytes;
};

// An lcore's counters begin here, and as many stand behind the last: no line of the cache has two
// lcores'.
inline constexpr std::size_t kFirstCounter = 64 / sizeof(RuleCounter);

// Rules as lcores see them: never changed, but for their counters.
struct PublishedRules {
  RuleSet rules;
  std::uint32_t generation;
  FlowTable& flows;
  // By lcore, each with what it writes on lines of its own.
  std::vector<std::unique_ptr<RuleCounter[]>> counters;

  // Where a peer's marks for these rules stand.
  [[nodiscard]] unsigned slot() const noexcept { return generation & 1; }
};

class Firewall {
 public:
  explicit Firewall(std::uint32_t lcores) : lcores_(lcores) {}
  // Lcores must have stopped.
  ~Firewall() { delete rules_.load(std::memory_order_relaxed); }
  Firewall(const Firewall&) = delete;
  Firewall& operator=(const Firewall&) = delete;

  // Lcores. nullptr: everything passes. Acquire pairs with publish().
  [[nodiscard]] const PublishedRules* rules() const noexcept {
    return rules_.load(std::memory_order_acquire);
  }

  // Overlay thread. Made ready, so that peers' marks for them can be written before they count.
  // Throws std::bad_alloc.
  [[nodiscard]] std::unique_ptr<const PublishedRules> prepare(const conf::Firewall& rules);
  // nullptr: none from now on. Returns what was, for the caller to free when no lcore can see it.
  [[nodiscard]] std::unique_ptr<const PublishedRules> publish(
      std::unique_ptr<const PublishedRules> rules);
  [[nodiscard]] FirewallCounts counts(std::uint32_t now_s) const;

 private:
  const std::uint32_t lcores_;
  std::uint32_t generation_ = 0;
  std::unique_ptr<FlowTable> flows_;                   // made with the first rules
  std::atomic<const PublishedRules*> rules_{nullptr};  // lcore: r, overlay: w
};

// The clock of flows: whole seconds, of a monotonic clock.
[[nodiscard]] inline std::uint32_t flow_seconds(Instant now) noexcept {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

}  // namespace ipop::engine::firewall
