// The section `firewall:` as plain values, and its reading. Which packets a rule means is told in
// docs/firewall.md; nothing is matched here. Start-up and reload, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace ipop::conf {

enum class FirewallAction : std::uint8_t { kAllow, kDeny };

// Both ends count.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// In the place of a protocol's number: ICMP for IPv4, ICMPv6 for IPv6. In the place of an ICMP
// type: the request that ping sends, which has another number in each.
inline constexpr std::uint16_t kIcmpOfEither = 256;
inline constexpr std::uint16_t kEchoOfEither = 256;

// What is empty matches everything.
struct FirewallRule {
  std::string name;
  FirewallAction action = FirewallAction::kDeny;
  std::vector<std::string> groups;      // of the peer: one of them
  std::vector<std::string> all_groups;  // of the peer: every one of them
  std::vector<std::string> peers;       // one of them: proven names, or node ids of 40 digits
  std::vector<Prefix> remote;           // the peer's side's address is in one of them
  std::vector<Prefix> local;            // our side's
  std::vector<std::uint16_t> protocols;
  std::vector<PortRange> ports;  // the destination's
  std::vector<std::uint16_t> icmp_types;

  friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
};

struct Firewall {
  std::vector<FirewallRule> inbound;  // in order: the first that matches decides
  std::vector<FirewallRule> outbound;
  FirewallAction default_inbound = FirewallAction::kAllow;
  FirewallAction default_outbound = FirewallAction::kAllow;
  std::uint32_t max_flows = kDefaultFlows;

  static constexpr std::uint32_t kDefaultFlows = 131'072;

  // Nothing could ever be denied.
  [[nodiscard]] bool is_off() const noexcept {
    return inbound.empty() && outbound.empty() && default_inbound == FirewallAction::kAllow &&
           default_outbound == FirewallAction::kAllow;
  }
  // But for what takes a restart.
  [[nodiscard]] bool has_same_rules(const Firewall& other) const {
    return inbound == other.inbound && outbound == other.outbound &&
           default_inbound == other.default_inbound && default_outbound == other.default_outbound;
  }
};

inline constexpr std::size_t kMostFirewallRules = 1024;  // of each direction
// Groups, names and node ids that rules speak of, each counted once.
inline constexpr std::size_t kMostPeerMarks = 128;

class Section;
void read_firewall(const Section& section, Firewall& firewall);

}  // namespace ipop::conf
