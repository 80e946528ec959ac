#include "engine/firewall/rule_set.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace ipop::engine::firewall {
namespace {

using Words = std::array<std::uint64_t, 2>;

bool has(const std::array<std::uint64_t, 4>& bits, std::uint8_t bit) noexcept {
  return (bits[bit / 64] >> bit % 64 & 1) != 0;
}

void add_bit(std::array<std::uint64_t, 4>& bits, unsigned bit) noexcept {
  bits[bit / 64] |= std::uint64_t{1} << bit % 64;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool contains(const std::vector<std::uint16_t>& numbers, std::uint16_t number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

// A peer as a rule names it: by its node id, or else by a name.
std::string peer_mark(const std::string& peer) {
  const bool is_id =
      peer.size() == 40 && peer.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  return (is_id ? "n " : "p ") + lower(peer);
}

// The first `length` bits of 128, as they stand in memory.
Words mask_of(unsigned length) noexcept {
  IpAddress::Bytes bytes{};
  for (unsigned i = 0; i < length; ++i)
    bytes[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
  return std::bit_cast<Words>(bytes);
}

}  // namespace

RuleSet::RuleSet(const conf::Firewall& rules)
    : inbound_(static_cast<std::uint16_t>(rules.inbound.size())),
      outbound_(static_cast<std::uint16_t>(rules.outbound.size())),
      default_allow_{rules.default_inbound == conf::FirewallAction::kAllow,
                     rules.default_outbound == conf::FirewallAction::kAllow} {
  rules_.reserve(std::size_t{inbound_} + outbound_);
  for (const conf::FirewallRule& rule : rules.inbound)
    add(rule, Direction::kIn);
  for (const conf::FirewallRule& rule : rules.outbound)
    add(rule, Direction::kOut);
}

std::size_t RuleSet::mark_for(std::string text) {
  return marks_.emplace(std::move(text), marks_.size()).first->second;
}

RuleSet::Run RuleSet::add_networks(const std::vector<Prefix>& prefixes) {
  const Run run{static_cast<std::uint32_t>(networks_.size()),
                static_cast<std::uint32_t>(prefixes.size())};
  for (const Prefix& prefix : prefixes) {
    const bool v4 = prefix.address.is_v4();
    networks_.push_back({std::bit_cast<Words>(prefix.masked().address.bytes()),
                         mask_of(prefix.length + (v4 ? 96u : 0u)), v4});
  }
  return run;
}

void RuleSet::add(const conf::FirewallRule& source, Direction direction) {
  Rule rule{.allow = source.action == conf::FirewallAction::kAllow};
  for (const std::string& group : source.groups)
    rule.any_group.set(mark_for("g " + group));
  for (const std::string& group : source.all_groups)
    rule.all_groups.set(mark_for("g " + group));
  for (const std::string& peer : source.peers)
    rule.any_peer.set(mark_for(peer_mark(peer)));
  rule.any_protocol = source.protocols.empty();
  rule.asks_groups = !source.groups.empty();
  rule.asks_all_groups = !source.all_groups.empty();
  rule.asks_peers = !source.peers.empty();
  rule.asks_types = !source.icmp_types.empty();
  for (const std::uint16_t type : source.icmp_types) {
    add_bit(rule.types4, type == conf::kEchoOfEither ? 8 : type);
    add_bit(rule.types6, type == conf::kEchoOfEither ? 128 : type);
  }
  for (const std::uint16_t protocol : source.protocols) {
    // Which of the two a packet may have, its IP version says.
    if (protocol == conf::kIcmpOfEither) continue;
    add_bit(rule.protocols, protocol);
  }
  rule.ports = {static_cast<std::uint32_t>(ports_.size()),
                static_cast<std::uint32_t>(source.ports.size())};
  ports_.insert(ports_.end(), source.ports.begin(), source.ports.end());
  rule.remote = add_networks(source.remote);
  rule.local = add_networks(source.local);
  add_steps(source, rule, direction);
  rules_.push_back(rule);
}

void RuleSet::add_steps(const conf::FirewallRule& source, const Rule& rule, Direction direction) {
  const bool icmp = contains(source.protocols, conf::kIcmpOfEither);
  const auto takes = [&](std::uint8_t protocol) {
    return rule.any_protocol || has(rule.protocols, protocol);
  };
  const bool more = rule.asks_groups || rule.asks_all_groups || rule.asks_peers ||
                    rule.asks_types || rule.remote.count != 0 || rule.local.count != 0 ||
                    rule.ports.count > 1;
  Step step{.rule = static_cast<std::uint16_t>(rules_.size()),
            .first_port = 0,
            .last_port = 0xffff,
            .asks_more = more,
            .allow = rule.allow};
  auto& lists = steps_[std::to_underlying(direction)];
  if (source.ports.empty()) {
    if (icmp || takes(kIcmp)) lists[kIcmpList].push_back(step);
    if (icmp || takes(kIcmpv6)) lists[kIcmpv6List].push_back(step);
  } else {
    step.first_port = std::ranges::min(source.ports, {}, &conf::PortRange::first).first;
    step.last_port = std::ranges::max(source.ports, {}, &conf::PortRange::last).last;
  }
  if (takes(kTcp)) lists[kTcpList].push_back(step);
  if (takes(kUdp)) lists[kUdpList].push_back(step);
  step.asks_more = true;  // which protocol it is
  lists[kOtherList].push_back(step);
}

RuleSet::List RuleSet::list_of(const PacketFacts& facts) noexcept {
  if (facts.protocol == kTcp) return kTcpList;
  if (facts.protocol == kUdp) return kUdpList;
  // ICMP in IPv6 and the other way round are none: no host knows them.
  if (facts.is_icmp()) return facts.protocol == kIcmp ? kIcmpList : kIcmpv6List;
  return kOtherList;
}

Decision RuleSet::decide(Direction direction, const PacketFacts& facts,
                         const PeerMarks& marks) const noexcept {
  const std::uint16_t port = direction == Direction::kIn ? facts.local_port : facts.remote_port;
  const List list = list_of(facts);
  for (const Step& step : steps_[std::to_underlying(direction)][list]) {
    if (port < step.first_port || port > step.last_port) continue;
    if (step.asks_more) {
      const Rule& rule = rules_[step.rule];
      if (list == kOtherList && !rule.any_protocol && !has(rule.protocols, facts.protocol))
        continue;
      if (!matches(rule, facts, port, marks)) continue;
    }
    return {step.allow, step.rule};
  }
  return {default_allow_[std::to_underlying(direction)], default_of(direction)};
}

bool RuleSet::matches(const Rule& rule, const PacketFacts& facts, std::uint16_t port,
                      const PeerMarks& marks) const noexcept {
  if (rule.asks_groups && !marks.any_of(rule.any_group)) return false;
  if (rule.asks_all_groups && !marks.all_of(rule.all_groups)) return false;
  if (rule.asks_peers && !marks.any_of(rule.any_peer)) return false;
  if (rule.asks_types &&
      (!facts.is_icmp() ||
       !has(facts.protocol == kIcmp ? rule.types4 : rule.types6, facts.icmp_type))) {
    return false;
  }
  if (rule.ports.count != 0) {
    if (!facts.has_ports) return false;
    const conf::PortRange* const first = &ports_[rule.ports.first];
    const auto holds = [&](const conf::PortRange& range) {
      return port >= range.first && port <= range.last;
    };
    if (!std::any_of(first, first + rule.ports.count, holds)) return false;
  }
  return (rule.remote.count == 0 || is_in(facts.remote, rule.remote)) &&
         (rule.local.count == 0 || is_in(facts.local, rule.local));
}

bool RuleSet::is_in(const IpAddress& address, Run networks) const noexcept {
  const auto words = std::bit_cast<Words>(address.bytes());
  const bool v4 = address.is_v4();
  for (std::uint32_t i = 0; i < networks.count; ++i) {
    const Network& network = networks_[networks.first + i];
    const std::uint64_t difference = ((words[0] ^ network.address[0]) & network.mask[0]) |
                                     ((words[1] ^ network.address[1]) & network.mask[1]);
    if (difference == 0 && v4 == network.v4) return true;
  }
  return false;
}

PeerMarks RuleSet::marks_of(const PeerNames& peer) const {
  PeerMarks marks;
  const auto mark = [&](const std::string& text) {
    const auto found = marks_.find(text);
    if (found != marks_.end()) marks.set(found->second);
  };
  for (const std::string& group : peer.groups)
    mark("g " + group);
  for (const std::string& one : peer.names)
    mark("p " + lower(one));
  if (!peer.node_id.empty()) mark("n " + lower(peer.node_id));
  return marks;
}

}  // namespace ipop::engine::firewall
