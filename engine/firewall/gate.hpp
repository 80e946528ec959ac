// Where one lcore lets packets of one direction through, or not: flows that are known pass at once,
// the rules are asked for the rest. One lcore; no lock, no allocation.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "engine/api/fate.hpp"
#include "engine/firewall/firewall.hpp"
#include "engine/firewall/recent_flows.hpp"

namespace ipop::engine::firewall {

class Gate {
 public:
  Gate(const Firewall& firewall, unsigned lcore, Direction direction)
      : firewall_(firewall), lcore_(lcore), direction_(direction) {}

  // Around what is judged with one clock reading, between two quiescent states.
  void begin_burst(Instant now) noexcept {
    rules_ = firewall_.rules();
    if (rules_ != nullptr) [[unlikely]]
      start(now);
  }
  void end_burst() noexcept {
    if (rules_ != nullptr) [[unlikely]]
      settle();
  }
  // Whether there is anything to be judged. All below only if so.
  [[nodiscard]] bool is_on() const noexcept { return rules_ != nullptr; }
  // Which of a peer's marks are for the rules in force.
  [[nodiscard]] unsigned slot() const noexcept { return rules_->slot(); }

  // Whether the packet goes on with a flow of which one has just passed. Then it is counted as that
  // one was. `stamp`: of its peer's marks.
  [[nodiscard]] bool continues(const std::uint8_t* packet, std::uint32_t length,
                               std::uint32_t stamp) noexcept {
    const RecentFlows::Flow* const flow = recent_.find(packet, length, stamp);
    if (flow == nullptr) return false;
    if (flow->rule != rule_) [[unlikely]]
      change_rule(flow->rule);
    return true;
  }
  // kSent: it passes. `packet`: as read_facts() takes it. A packet that does not pass is counted
  // for its rule, as `packets` of wire size. One that passes is for the caller to count.
  [[nodiscard]] Fate judge(ByteView packet, const StampedMarks& marks,
                           std::uint32_t packets) noexcept;
  // Fetches what continues() will look for.
  void prefetch(const std::uint8_t* packet, std::uint32_t length) const noexcept {
    recent_.prefetch(packet, length);
  }

  // What passed last, for its rule.
  void count(std::uint32_t packets, std::uint32_t bytes) noexcept {
    packets_ += packets;
    bytes_ += bytes;
  }
  // The same for a caller who counts anyway: all that these grow by from now on, until another
  // packet is judged or the burst ends.
  void count_by(const OwnedCounter& packets, const OwnedCounter& bytes) noexcept {
    theirs_ = {&packets, &bytes, packets.get(), bytes.get()};
  }
  // Writes down what was counted so far.
  void settle() noexcept;
  [[nodiscard]] bool counts_by(const OwnedCounter& packets) const noexcept {
    return theirs_.packets == &packets;
  }

 private:
  struct Theirs {
    const OwnedCounter* packets = nullptr;
    const OwnedCounter* bytes = nullptr;
    std::uint64_t packets_before = 0;
    std::uint64_t bytes_before = 0;
  };
  struct Judged {
    bool allow = false;
    std::uint16_t rule = 0;
    bool full = false;  // allowed, and no room for its flow
  };

  void start(Instant now) noexcept;
  void add(std::uint16_t rule, std::uint64_t packets, std::uint64_t bytes) noexcept;
  [[nodiscard]] Fate denied() const noexcept {
    return direction_ == Direction::kIn ? Fate::kDropFirewallIn : Fate::kDropFirewallOut;
  }
  [[nodiscard]] Judged judge_flow(const PacketFacts& facts, const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged judge_new(const PacketFacts& facts, const FlowKey& key,
                                 const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged judge_error(ByteView packet, const PacketFacts& facts,
                                   const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged ask_rules(const PacketFacts& facts, const StampedMarks& marks) noexcept;
  // Of a flow that was judged by other rules, or when its peer was another.
  void judge_again(FlowTable::Found& found, PacketFacts facts, const StampedMarks& marks) noexcept;
  void refresh(const FlowTable::Found& found, const PacketFacts& facts) noexcept;
  [[nodiscard]] Fate judge_fragment(const PacketFacts& facts, const StampedMarks& marks,
                                    Judged& judged) noexcept;
  void change_rule(std::uint16_t rule) noexcept {
    settle();
    rule_ = rule;
  }

  const Firewall& firewall_;
  const unsigned lcore_;
  const Direction direction_;
  const PublishedRules* rules_ = nullptr;  // of this burst
  std::uint32_t generation_ = 0;           // of the rules that the last burst had
  std::uint32_t now_s_ = 0;
  std::uint16_t rule_ = 0;  // of what passed last
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  Theirs theirs_;
  RecentFlows recent_;
};

}  // namespace ipop::engine::firewall
