#include "engine/firewall/gate.hpp"

namespace ipop::engine::firewall {
namespace {

// Seconds without a packet after which a flow is forgotten. For TCP at least RFC 5382's 2 hours and
// 4 minutes, for UDP RFC 4787's 5 minutes, once they were answered.
constexpr std::uint16_t kTcpOpening = 60;
constexpr std::uint16_t kTcpAnswered = 7440;
constexpr std::uint16_t kTcpFinished = 120;
constexpr std::uint16_t kTcpReset = 10;
constexpr std::uint16_t kUnanswered = 60;
constexpr std::uint16_t kAnswered = 300;
constexpr std::uint16_t kQuery = 30;
constexpr std::uint16_t kFragments = 30;  // RFC 791's hosts wait no longer

bool opens(const PacketFacts& facts) noexcept {
  return facts.protocol == kTcp && (facts.tcp_flags & (kTurns | tcp_flag::kAck)) == tcp_flag::kSyn;
}

FlowLife aged(FlowLife life, const PacketFacts& facts, std::uint32_t now_s) noexcept {
  life.seen_s = now_s;
  if (facts.protocol == kTcp) {
    life.finished |= (facts.tcp_flags & tcp_flag::kFin) != 0;
    life.reset |= (facts.tcp_flags & tcp_flag::kRst) != 0;
    life.timeout_s = life.reset      ? kTcpReset
                     : life.finished ? kTcpFinished
                     : life.answered ? kTcpAnswered
                                     : kTcpOpening;
  } else if (facts.icmp != PacketFacts::IcmpKind::kNone) {
    life.timeout_s = kQuery;
  } else {
    life.timeout_s = life.answered ? kAnswered : kUnanswered;
  }
  return life;
}

// The request that such a reply answers: rules speak of requests.
std::uint8_t request_of(std::uint8_t reply, bool v4) noexcept {
  if (!v4) return 128;
  return reply == 0 ? 8 : static_cast<std::uint8_t>(reply - 1);
}

}  // namespace

void Gate::start(Instant now) noexcept {
  const std::uint32_t now_s = flow_seconds(now);
  // What was found of a flow holds for a second, and for these rules.
  if (now_s != now_s_ || rules_->generation != generation_) recent_.forget_all();
  now_s_ = now_s;
  generation_ = rules_->generation;
}

void Gate::add(std::uint16_t rule, std::uint64_t packets, std::uint64_t bytes) noexcept {
  RuleCounter& counter = rules_->counters[lcore_][kFirstCounter + rule];
  counter.packets.add(packets);
  counter.bytes.add(bytes);
}

void Gate::settle() noexcept {
  if (theirs_.packets != nullptr) {
    packets_ += theirs_.packets->get() - theirs_.packets_before;
    bytes_ += theirs_.bytes->get() - theirs_.bytes_before;
    theirs_.packets = nullptr;
  }
  if (packets_ != 0) add(rule_, packets_, bytes_);
  packets_ = bytes_ = 0;
}

Fate Gate::judge(ByteView packet, const StampedMarks& marks, std::uint32_t packets) noexcept {
  settle();
  recent_.forget(packet);
  PacketFacts facts;
  if (!read_facts(packet, direction_, facts)) [[unlikely]] {
    return Fate::kDropFirewallMalformed;
  }
  // Rules came twice within this burst: these are gone already.
  if (marks.generation != rules_->generation) [[unlikely]] {
    return denied();
  }
  Judged judged;
  if (facts.part != PacketFacts::Part::kWhole) [[unlikely]] {
    const Fate fate = judge_fragment(facts, marks, judged);
    if (fate != Fate::kSent && fate != denied()) return fate;
  } else if (facts.icmp == PacketFacts::IcmpKind::kError) {
    judged = judge_error(packet, facts, marks);
  } else {
    judged = judge_flow(facts, marks);
  }
  if (!judged.allow) {
    add(judged.rule, packets, packet.size());
    return denied();
  }
  if (judged.full) return Fate::kDropFirewallFull;
  rule_ = judged.rule;
  recent_.remember(packet, facts, marks.stamp, judged.rule);
  return Fate::kSent;
}

Gate::Judged Gate::ask_rules(const PacketFacts& facts, const StampedMarks& marks) noexcept {
  const Decision decision = rules_->rules.decide(direction_, facts, marks.marks);
  return {.allow = decision.allow, .rule = decision.rule};
}

Gate::Judged Gate::judge_new(const PacketFacts& facts, const FlowKey& key,
                             const StampedMarks& marks) noexcept {
  Judged judged = ask_rules(facts, marks);
  if (!judged.allow) return judged;
  const FlowVerdict verdict{.stamp = marks.stamp, .rule = judged.rule, .origin = direction_};
  judged.full = !rules_->flows.insert(key, verdict, aged({}, facts, now_s_), now_s_);
  return judged;
}

void Gate::judge_again(FlowTable::Found& found, PacketFacts facts,
                       const StampedMarks& marks) noexcept {
  if (facts.icmp == PacketFacts::IcmpKind::kReply)
    facts.icmp_type = request_of(facts.icmp_type, facts.remote.is_v4());
  const Decision decision = rules_->rules.decide(found.verdict.origin, facts, marks.marks);
  FlowVerdict verdict = found.verdict;
  verdict.stamp = marks.stamp;
  verdict.rule = decision.rule;
  verdict.denied = !decision.allow;
  rules_->flows.update(found, verdict);
  found.verdict = verdict;
}

void Gate::refresh(const FlowTable::Found& found, const PacketFacts& facts) noexcept {
  FlowLife life = found.life;
  life.answered |= found.verdict.origin != direction_;
  life = aged(life, facts, now_s_);
  if (life != found.life) rules_->flows.update(found, life);
}

Gate::Judged Gate::judge_flow(const PacketFacts& facts, const StampedMarks& marks) noexcept {
  using enum PacketFacts::IcmpKind;
  // Of these, none is an answer.
  if (facts.icmp == kOther) return ask_rules(facts, marks);
  const FlowKey key = flow_key(facts, direction_);
  FlowTable::Found found = rules_->flows.find(key, now_s_);
  // A reply that nobody asked for makes no flow.
  if (!found) return facts.icmp == kReply ? ask_rules(facts, marks) : judge_new(facts, key, marks);
  if (opens(facts)) [[unlikely]] {
    const bool over = found.life.finished || found.life.reset || found.verdict.denied;
    if (over) return judge_new(facts, key, marks);
    // The other end opens a connection of its own: no answer.
    if (found.verdict.origin != direction_) {
      const Judged judged = ask_rules(facts, marks);
      if (!judged.allow) return judged;
    }
  }
  if (found.verdict.stamp != marks.stamp) [[unlikely]]
    judge_again(found, facts, marks);
  refresh(found, facts);
  return {.allow = !found.verdict.denied, .rule = found.verdict.rule};
}

// An error about a flow that may pass is part of it, whichever router it comes from. It keeps
// nothing alive.
Gate::Judged Gate::judge_error(ByteView packet, const PacketFacts& facts,
                               const StampedMarks& marks) noexcept {
  const auto quote = read_quote(packet, facts, direction_);
  if (!quote) return ask_rules(facts, marks);
  FlowTable::Found found = rules_->flows.find(flow_key(*quote, opposite(direction_)), now_s_);
  if (!found) return ask_rules(facts, marks);
  if (found.verdict.stamp != marks.stamp) judge_again(found, *quote, marks);
  if (found.verdict.denied) return ask_rules(facts, marks);
  return {.allow = true, .rule = found.verdict.rule};
}

// The first fragment is judged as the whole; the others pass if it did, and came before.
Fate Gate::judge_fragment(const PacketFacts& facts, const StampedMarks& marks,
                          Judged& judged) noexcept {
  const FlowKey key = fragment_key(facts, direction_);
  if (facts.part == PacketFacts::Part::kLater) {
    const FlowTable::Found first = rules_->flows.find(key, now_s_);
    if (!first || first.verdict.stamp != marks.stamp) return Fate::kDropFirewallFragment;
    judged = {.allow = true, .rule = first.verdict.rule};
    return Fate::kSent;
  }
  judged = facts.icmp == PacketFacts::IcmpKind::kError ? ask_rules(facts, marks)
                                                       : judge_flow(facts, marks);
  if (!judged.allow) return denied();
  if (judged.full) return Fate::kDropFirewallFull;
  const FlowVerdict verdict{.stamp = marks.stamp, .rule = judged.rule, .origin = direction_};
  const FlowLife life{.seen_s = now_s_, .timeout_s = kFragments};
  // Without room for it, the others are dropped.
  (void)rules_->flows.insert(key, verdict, life, now_s_);
  return Fate::kSent;
}

}  // namespace ipop::engine::firewall
