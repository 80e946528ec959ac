#include "app/cli/netcheck_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace ipop::app {
namespace {

bool is_v6(std::string_view endpoint) {
  return endpoint.starts_with('[');
}

// What a mapping (RFC 4787 §4.1) means for those who want to reach this node.
std::string_view meaning(std::string_view mapping) {
  if (mapping == "none") return "no NAT: others reach this node at its own addresses";
  if (mapping == "endpoint-independent")
    return "a NAT that maps alike towards all: others reach this node while it sends to them";
  if (mapping == "endpoint-dependent")
    return "a NAT that maps anew for each destination: nodes behind a NAT that looks at ports "
           "cannot meet this one";
  if (mapping == "translated") return "a NAT; one server alone cannot tell of which kind";
  return "unknown";
}

// What it lets in (§5).
std::string_view let_in(std::string_view filtering) {
  if (filtering == "endpoint-independent") return "it lets in anybody";
  if (filtering == "address-dependent") return "it lets in hosts that this node has sent to";
  if (filtering == "address- and port-dependent")
    return "it lets in nothing but answers from exactly where this node has sent to";
  return "";
}

std::string family(const overlay::NatStatus& nat, bool v6) {
  std::size_t asked = 0;
  std::size_t answered = 0;
  for (const overlay::StunServerStatus& server : nat.servers) {
    if (is_v6(server.endpoint) != v6) continue;
    ++asked;
    if (!server.mapped.empty()) ++answered;
  }
  const char* const name = v6 ? "IPv6" : "IPv4";
  const std::string& mapping = v6 ? nat.ipv6 : nat.ipv4;
  std::string text =
      asked == 0 ? fmt::format("{}  no STUN server to ask: overlay.stun names none\n", name)
      : answered == 0
          ? fmt::format(
                "{}  UDP does not get through, or no server runs: none of {} "
                "answers\n",
                name, asked)
          : fmt::format("{}  UDP works: {} of {} servers answer\n", name, answered, asked);
  if (mapping != "unknown") text += fmt::format("      {} ({})\n", meaning(mapping), mapping);
  if (const std::string_view open_to = let_in(nat.filtering); !v6 && !open_to.empty())
    text += fmt::format("      {} ({})\n", open_to, nat.filtering);
  for (const std::string& endpoint : nat.mapped) {
    if (is_v6(endpoint) == v6) text += fmt::format("      outside: {}\n", endpoint);
  }
  return text;
}

// What the router was asked for, and what it said.
std::string router(const overlay::PortMappingStatus& port) {
  if (port.protocol.empty()) return port.why.empty() ? "" : "Router  no port: " + port.why + "\n";
  const std::string life =
      port.expires_s ? fmt::format("{} min left", (*port.expires_s + 59) / 60) : "without an end";
  std::string text = fmt::format("Router  forwards {} to this node by {}, {}\n", port.outside,
                                 port.protocol, life);
  if (!port.why.empty()) text += fmt::format("        of no use to others: {}\n", port.why);
  return text;
}

}  // namespace

std::string netcheck_text(const overlay::NatStatus& nat) {
  std::string text = family(nat, false) + family(nat, true) + router(nat.port_mapping);
  if (nat.servers.empty()) return text;
  std::size_t width = 0;
  for (const overlay::StunServerStatus& server : nat.servers)
    width = std::max(width, server.endpoint.size());
  text += "\nSTUN servers\n";
  for (const overlay::StunServerStatus& server : nat.servers) {
    text += fmt::format("  {:{}}  ", server.endpoint, width);
    text += server.mapped.empty()
                ? "no answer\n"
                : fmt::format("sees {}, {:.1f} ms\n", server.mapped, server.rtt_ms.value_or(0));
  }
  return text;
}

}  // namespace ipop::app
