#include "conf/firewall.hpp"

#include <algorithm>
#include <set>

#include "conf/field.hpp"
#include "conf/utf8.hpp"
#include "conf/value.hpp"

namespace ipop::conf {
namespace {

constexpr std::size_t kMostOfAKind = 64;  // items of one list in one rule

const Choice<FirewallAction> kAction{
    {{"allow", FirewallAction::kAllow}, {"deny", FirewallAction::kDeny}}};

Result<std::uint16_t> parse_protocol(std::string_view text) {
  if (text == "icmp") return kIcmpOfEither;
  if (text == "tcp") return 6;
  if (text == "udp") return 17;
  if (text == "sctp") return 132;
  if (const auto number = Number<std::uint16_t>{0, 255}(text)) return *number;
  return fail(in_quotes(text) +
              " is not one of: any, tcp, udp, icmp, sctp, or a number from 0 to 255");
}

Result<PortRange> parse_ports(std::string_view text) {
  const Number<std::uint16_t> port{0, 65535};
  const std::size_t dash = text.find('-');
  const auto first = port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
  if (!first || !last) return fail(in_quotes(text) + " is not a port, such as 22 or 8000-8010");
  if (*last < *first) {
    return fail(in_quotes(text) + " ends before it begins");
  }
  return PortRange{*first, *last};
}

Result<std::uint16_t> parse_icmp_type(std::string_view text) {
  if (text == "echo") return kEchoOfEither;
  if (const auto number = Number<std::uint16_t>{0, 255}(text)) return *number;
  return fail(in_quotes(text) + " is not echo or a number from 0 to 255");
}

Result<std::string> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_plain_text(text)) {
    return fail(in_quotes(text) + " is not a group: 1 to 64 bytes without control characters");
  }
  return std::string(text);
}

Result<std::string> parse_rule_peer(std::string_view text) {
  if (text.empty()) return fail("a peer needs a name, or a node id of 40 digits");
  return parse_peer_name(text);
}

// "any" alone is the same as nothing.
constexpr std::uint16_t kAny = 0xffff;

void read_protocols(const Section& section, std::vector<std::uint16_t>& protocols) {
  section.value_or_list("protocol", protocols, [](std::string_view text) -> Result<std::uint16_t> {
    if (text == "any") return kAny;
    return parse_protocol(text);
  });
  if (std::ranges::find(protocols, kAny) == protocols.end()) return;
  if (protocols.size() > 1) section.fail("protocol", "any stands alone");
  protocols.clear();
}

bool has_ports(std::uint16_t protocol) {
  constexpr std::uint16_t kWithPorts[] = {6, 17, 33, 132, 136};
  return std::ranges::find(kWithPorts, protocol) != std::end(kWithPorts);
}

bool is_icmp(std::uint16_t protocol) {
  return protocol == kIcmpOfEither || protocol == 1 || protocol == 58;
}

// What can never match was meant otherwise.
void check_rule(const Section& section, const FirewallRule& rule) {
  if (!rule.ports.empty() && !std::ranges::all_of(rule.protocols, has_ports)) {
    section.fail("ports", "only tcp, udp and sctp have ports");
  }
  if (!rule.icmp_types.empty() &&
      (rule.protocols.empty() || !std::ranges::all_of(rule.protocols, is_icmp))) {
    section.fail("icmp_types", "needs protocol: icmp");
  }
  const auto bound = [&](const char* key, std::size_t size) {
    if (size > kMostOfAKind) {
      section.fail(key, "at most " + std::to_string(kMostOfAKind) + " in one rule");
    }
  };
  bound("groups", rule.groups.size());
  bound("all_groups", rule.all_groups.size());
  bound("peers", rule.peers.size());
  bound("remote", rule.remote.size());
  bound("local", rule.local.size());
  bound("protocol", rule.protocols.size());
  bound("ports", rule.ports.size());
  bound("icmp_types", rule.icmp_types.size());
}

FirewallRule read_rule(const Section& section) {
  FirewallRule rule;
  section.value("name", rule.name, parse_peer_name);
  section.require("action");
  section.value("action", rule.action, kAction);
  section.value_or_list("groups", rule.groups, parse_group);
  section.value_or_list("all_groups", rule.all_groups, parse_group);
  section.value_or_list("peers", rule.peers, parse_rule_peer);
  section.value_or_list("remote", rule.remote, parse_subnet);
  section.value_or_list("local", rule.local, parse_subnet);
  read_protocols(section, rule.protocols);
  section.value_or_list("ports", rule.ports, parse_ports);
  section.value_or_list("icmp_types", rule.icmp_types, parse_icmp_type);
  // A list that was written empty would match everything, and reads as if it matched nothing.
  for (const char* key :
       {"groups", "all_groups", "peers", "remote", "local", "protocol", "ports", "icmp_types"}) {
    section.refuse_empty_list(key);
  }
  check_rule(section, rule);
  return rule;
}

void read_rules(const Section& section, const char* key, const char* default_key,
                FirewallAction otherwise, std::vector<FirewallRule>& rules) {
  for (const Section& rule : section.sections(key))
    rules.push_back(read_rule(rule));
  if (rules.size() > kMostFirewallRules) {
    section.fail(key, "at most " + std::to_string(kMostFirewallRules) + " rules");
  }
  const bool allow_all = std::ranges::all_of(
      rules, [](const FirewallRule& rule) { return rule.action == FirewallAction::kAllow; });
  if (!rules.empty() && allow_all && otherwise == FirewallAction::kAllow) {
    section.fail(key, std::string("these rules deny nothing: add one that does, or set firewall.") +
                          default_key + " to deny");
  }
}

void count_marks(const std::vector<FirewallRule>& rules, std::set<std::string>& marks) {
  for (const FirewallRule& rule : rules) {
    for (const auto* groups : {&rule.groups, &rule.all_groups}) {
      for (const std::string& group : *groups)
        marks.insert("g " + group);
    }
    for (const std::string& peer : rule.peers)
      marks.insert("p " + peer);
  }
}

}  // namespace

void read_firewall(const Section& section, Firewall& firewall) {
  section.value("default_inbound", firewall.default_inbound, kAction);
  section.value("default_outbound", firewall.default_outbound, kAction);
  read_rules(section, "inbound", "default_inbound", firewall.default_inbound, firewall.inbound);
  read_rules(section, "outbound", "default_outbound", firewall.default_outbound, firewall.outbound);
  section.value("max_flows", firewall.max_flows,
                Number<std::uint32_t>{1024, 16'777'216, "auto", Firewall::kDefaultFlows});
  std::set<std::string> marks;
  count_marks(firewall.inbound, marks);
  count_marks(firewall.outbound, marks);
  if (marks.size() > kMostPeerMarks) {
    section.fail("inbound", "rules may name at most " + std::to_string(kMostPeerMarks) +
                                " groups and peers in all; put peers into groups");
  }
}

}  // namespace ipop::conf
