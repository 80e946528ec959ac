#include "engine/firewall/rule_text.hpp"

#include <vector>

namespace ipop::engine::firewall {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

template <typename Item, typename Text>
std::string list_of(const std::vector<Item>& items, const char* between, Text text) {
  std::vector<std::string> words;
  for (const Item& item : items)
    words.push_back(text(item));
  return joined(words, between);
}

std::string protocol_text(std::uint16_t protocol) {
  switch (protocol) {
    case conf::kIcmpOfEither:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kSctp:
      return "sctp";
    default:
      return "protocol " + std::to_string(protocol);
  }
}

std::string port_text(const conf::PortRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

std::string type_text(std::uint16_t type) {
  return type == conf::kEchoOfEither ? "echo" : "type " + std::to_string(type);
}

}  // namespace

const char* word_of(conf::FirewallAction action) noexcept {
  return action == conf::FirewallAction::kAllow ? "allow" : "deny";
}

std::string text_of(const conf::FirewallRule& rule, Direction direction) {
  const auto itself = [](const std::string& text) { return text; };
  const auto prefix = [](const Prefix& network) { return network.to_string(); };
  std::string text = word_of(rule.action);
  text += rule.protocols.empty() ? " any" : " " + list_of(rule.protocols, "/", protocol_text);
  if (!rule.ports.empty()) text += " " + list_of(rule.ports, ",", port_text);
  if (!rule.icmp_types.empty()) text += " " + list_of(rule.icmp_types, ",", type_text);
  std::vector<std::string> peer;
  if (!rule.groups.empty()) peer.push_back("group " + list_of(rule.groups, " or ", itself));
  if (!rule.all_groups.empty())
    peer.push_back("group " + list_of(rule.all_groups, " and ", itself));
  if (!rule.peers.empty()) peer.push_back("peer " + list_of(rule.peers, " or ", itself));
  if (!rule.remote.empty()) peer.push_back(list_of(rule.remote, " or ", prefix));
  const bool inbound = direction == Direction::kIn;
  if (!peer.empty()) text += (inbound ? " from " : " to ") + joined(peer, ", ");
  if (!rule.local.empty())
    text += (inbound ? " to " : " from ") + list_of(rule.local, " or ", prefix);
  return text;
}

}  // namespace ipop::engine::firewall
