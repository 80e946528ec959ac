// The compiled rules against a slow, obvious reading of the configuration, on random rules and
// packets.
#include <algorithm>
#include <random>

#include "engine/firewall/rule_set.hpp"
#include "tests/unit/engine/firewall/packets_between.hpp"

namespace ipop::engine::firewall {
namespace {

using conf::FirewallAction;
using conf::FirewallRule;

bool has_port_fields(std::uint8_t protocol) {
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

// Field by field, as docs/firewall.md says it.
bool naive_match(const FirewallRule& rule, const Between& packet, const PeerNames& peer) {
  const bool v4 = packet.remote.is_v4();
  const bool icmp = packet.protocol == (v4 ? 1 : 58);
  const auto protocol = [&](std::uint16_t wanted) {
    return wanted == conf::kIcmpOfEither ? icmp : wanted == packet.protocol;
  };
  if (!rule.protocols.empty() && std::ranges::none_of(rule.protocols, protocol)) return false;
  const std::uint16_t port =
      packet.direction == Direction::kIn ? packet.local_port : packet.remote_port;
  const auto holds = [&](const conf::PortRange& range) {
    return range.first <= port && port <= range.last;
  };
  if (!rule.ports.empty() &&
      (!has_port_fields(packet.protocol) || std::ranges::none_of(rule.ports, holds))) {
    return false;
  }
  const auto type = [&](std::uint16_t wanted) {
    return packet.icmp_type == (wanted == conf::kEchoOfEither ? (v4 ? 8 : 128) : wanted);
  };
  if (!rule.icmp_types.empty() && (!icmp || std::ranges::none_of(rule.icmp_types, type))) {
    return false;
  }
  const auto of = [](const std::vector<std::string>& all) {
    return [&all](const std::string& one) { return std::ranges::find(all, one) != all.end(); };
  };
  if (!rule.groups.empty() && std::ranges::none_of(rule.groups, of(peer.groups))) return false;
  if (!std::ranges::all_of(rule.all_groups, of(peer.groups))) return false;
  if (!rule.peers.empty() && std::ranges::none_of(rule.peers, of(peer.names))) return false;
  const auto contains = [](const IpAddress& address) {
    return [&](const Prefix& network) { return network.contains(address); };
  };
  if (!rule.remote.empty() && std::ranges::none_of(rule.remote, contains(packet.remote)))
    return false;
  return rule.local.empty() || std::ranges::any_of(rule.local, contains(packet.local));
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  IpAddress address(bool v4) {
    const auto low = static_cast<std::uint32_t>(below(4));
    if (v4) return IpAddress::v4(0x0a000000 + static_cast<std::uint32_t>(below(3)) * 256 + low);
    IpAddress::Bytes bytes{};
    bytes[0] = 0xfd;
    bytes[7] = static_cast<std::uint8_t>(below(3));
    bytes[15] = static_cast<std::uint8_t>(low);
    return IpAddress(bytes);
  }
  Prefix network() {
    const bool v4 = one_in(2);
    const std::uint8_t lengths4[] = {0, 8, 22, 24, 31, 32};
    const std::uint8_t lengths6[] = {0, 8, 62, 64, 127, 128};
    return Prefix{address(v4), (v4 ? lengths4 : lengths6)[below(6)]}.masked();
  }
  std::string word(const char* const (&words)[5]) { return words[below(5)]; }
  std::uint16_t port() {
    return static_cast<std::uint16_t>(one_in(8) ? below(65536) : 20 + below(9));
  }

  template <typename T, typename Make>
  void some(std::vector<T>& into, unsigned one_of, Make make) {
    if (!one_in(one_of)) return;
    for (std::uint64_t n = 1 + below(3); n != 0; --n)
      into.push_back(make());
  }

  FirewallRule rule() {
    FirewallRule rule;
    rule.action = one_in(2) ? FirewallAction::kAllow : FirewallAction::kDeny;
    some(rule.groups, 4, [&] { return word(kGroups); });
    some(rule.all_groups, 6, [&] { return word(kGroups); });
    some(rule.peers, 5, [&] { return word(kNames); });
    some(rule.remote, 3, [&] { return network(); });
    some(rule.local, 5, [&] { return network(); });
    if (one_in(6)) {
      rule.protocols = {conf::kIcmpOfEither};
      some(rule.icmp_types, 2, [&]() -> std::uint16_t {
        return one_in(3) ? conf::kEchoOfEither : static_cast<std::uint16_t>(below(12));
      });
      return rule;
    }
    const std::uint16_t protocols[] = {6, 17, 132, 6, 17};
    some(rule.protocols, 2, [&] { return protocols[below(5)]; });
    some(rule.ports, 2, [&] {
      const std::uint16_t first = port();
      return conf::PortRange{
          first, static_cast<std::uint16_t>(std::min<std::uint64_t>(65535, first + below(4)))};
    });
    if (rule.ports.empty() && one_in(6)) rule.protocols.push_back(47);
    return rule;
  }

  Between packet() {
    const bool v4 = one_in(2);
    const std::uint8_t protocols[] = {6, 6, 17, 132, 47, 1, 58};
    const std::uint8_t types[] = {0, 3, 8, 11, 128, 129};
    return {.direction = one_in(2) ? Direction::kIn : Direction::kOut,
            .protocol = protocols[below(7)],
            .remote_port = port(),
            .local_port = port(),
            .remote = address(v4),
            .local = address(v4),
            .icmp_type = types[below(6)]};
  }
  PeerNames peer() {
    PeerNames peer;
    some(peer.groups, 2, [&] { return word(kGroups); });
    some(peer.names, 2, [&] { return word(kNames); });
    return peer;
  }

 private:
  static constexpr const char* kGroups[5] = {"a", "b", "c", "d", "e"};
  static constexpr const char* kNames[5] = {"one", "two", "three", "four", "five"};
  std::mt19937_64 random_;
};

TEST(RandomRules, DecideAsANaiveReadingDoes) {
  std::size_t by_rule = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    conf::Firewall firewall;
    for (auto* rules : {&firewall.inbound, &firewall.outbound}) {
      for (std::uint64_t n = random.below(30); n != 0; --n)
        rules->push_back(random.rule());
    }
    if (random.one_in(2)) firewall.default_inbound = FirewallAction::kDeny;
    if (random.one_in(2)) firewall.default_outbound = FirewallAction::kDeny;
    const RuleSet set(firewall);
    for (int i = 0; i < 200; ++i) {
      const Between packet = random.packet();
      const PeerNames peer = random.peer();
      const bool in = packet.direction == Direction::kIn;
      const auto& rules = in ? firewall.inbound : firewall.outbound;
      const auto first = std::ranges::find_if(
          rules, [&](const FirewallRule& rule) { return naive_match(rule, packet, peer); });
      const FirewallAction action = first != rules.end() ? first->action
                                    : in                 ? firewall.default_inbound
                                                         : firewall.default_outbound;
      const std::size_t rule = first == rules.end()
                                   ? set.default_of(packet.direction)
                                   : static_cast<std::size_t>(first - rules.begin()) +
                                         (in ? 0 : firewall.inbound.size());
      PacketFacts facts;
      ASSERT_TRUE(read_facts(made(packet), packet.direction, facts));
      const Decision got = set.decide(packet.direction, facts, set.marks_of(peer));
      ASSERT_EQ(got.rule, rule) << "seed " << seed << ", packet " << i;
      ASSERT_EQ(got.allow, action == FirewallAction::kAllow) << "seed " << seed;
      by_rule += first == rules.end() ? 0 : 1;
    }
  }
  // Else it would say little.
  EXPECT_GT(by_rule, 20'000u);
}

}  // namespace
}  // namespace ipop::engine::firewall
