// The rules of a configuration, made ready to be asked for each packet: the first rule that matches
// decides, else the default of the direction. Made by the overlay thread or by `ipop`, then never
// changed; read by lcores. No state of flows: that is the gate's.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/firewall.hpp"
#include "engine/firewall/marks.hpp"
#include "engine/firewall/packet_facts.hpp"

namespace ipop::engine::firewall {

// What was proved of a peer.
struct PeerNames {
  std::vector<std::string> names;  // of its certificate, or in our configuration; case is ignored
  std::string node_id;             // 40 hexadecimal digits, or empty
  std::vector<std::string> groups;
};

struct Decision {
  bool allow = false;
  // Inbound rules from 0, outbound rules behind them, then the two defaults.
  std::uint16_t rule = 0;
};

class RuleSet {
 public:
  // `rules` is checked: at most kMostFirewallRules each way, kMostPeerMarks different marks.
  explicit RuleSet(const conf::Firewall& rules);

  // Of the packet's transport header, `facts` must have what there is: not for later fragments.
  [[nodiscard]] Decision decide(Direction direction, const PacketFacts& facts,
                                const PeerMarks& marks) const noexcept;

  [[nodiscard]] PeerMarks marks_of(const PeerNames& peer) const;
  // Rules and the two defaults.
  [[nodiscard]] std::uint16_t size() const noexcept {
    return static_cast<std::uint16_t>(inbound_ + outbound_ + 2);
  }
  [[nodiscard]] std::uint16_t default_of(Direction direction) const noexcept {
    return static_cast<std::uint16_t>(inbound_ + outbound_ + (direction == Direction::kIn ? 0 : 1));
  }
  [[nodiscard]] Direction direction_of(std::uint16_t rule) const noexcept {
    if (rule >= inbound_ + outbound_) {
      return rule == default_of(Direction::kIn) ? Direction::kIn : Direction::kOut;
    }
    return rule < inbound_ ? Direction::kIn : Direction::kOut;
  }

 private:
  // Of 256: protocols, ICMP types.
  using Bits = std::array<std::uint64_t, 4>;
  // Where something's items stand in one of the arrays below.
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct Network {
    std::array<std::uint64_t, 2> address;
    std::array<std::uint64_t, 2> mask;
    bool v4;
  };
  // What is asked of a packet beyond its port; what is empty is not asked.
  struct Rule {
    Bits protocols{};
    Bits types4{};
    Bits types6{};
    PeerMarks any_group;
    PeerMarks all_groups;
    PeerMarks any_peer;
    Run ports;
    Run remote;
    Run local;
    bool any_protocol = false;
    bool asks_groups = false;
    bool asks_all_groups = false;
    bool asks_peers = false;
    bool asks_types = false;
    bool allow = false;
  };
  // A rule as far as most packets get with it: eight of them on a line of the cache.
  struct Step {
    std::uint16_t rule;
    std::uint16_t first_port;
    std::uint16_t last_port;
    bool asks_more;
    bool allow;
  };
  static_assert(sizeof(Step) == 8);
  enum List : std::uint8_t { kTcpList, kUdpList, kIcmpList, kIcmpv6List, kOtherList, kLists };

  void add(const conf::FirewallRule& rule, Direction direction);
  [[nodiscard]] std::size_t mark_for(std::string text);
  [[nodiscard]] Run add_networks(const std::vector<Prefix>& prefixes);
  void add_steps(const conf::FirewallRule& source, const Rule& rule, Direction direction);
  [[nodiscard]] static List list_of(const PacketFacts& facts) noexcept;
  [[nodiscard]] bool matches(const Rule& rule, const PacketFacts& facts, std::uint16_t port,
                             const PeerMarks& marks) const noexcept;
  [[nodiscard]] bool is_in(const IpAddress& address, Run networks) const noexcept;

  std::uint16_t inbound_ = 0;
  std::uint16_t outbound_ = 0;
  std::array<bool, 2> default_allow_{};
  std::array<std::array<std::vector<Step>, kLists>, 2> steps_;
  std::vector<Rule> rules_;
  std::vector<conf::PortRange> ports_;
  std::vector<Network> networks_;
  std::map<std::string, std::size_t> marks_;  // "g admin", "p bob", "n 5f3a…"
};

}  // namespace ipop::engine::firewall
