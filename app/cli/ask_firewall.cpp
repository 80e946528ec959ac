// `ipop firewall test`: which rule of a configuration decides about a packet. By the same code as
// the packet path's, without a daemon.
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/quantity.hpp"
#include "conf/load.hpp"
#include "engine/firewall/rule_set.hpp"
#include "engine/firewall/rule_text.hpp"

namespace ipop::app {
namespace {

namespace fw = engine::firewall;

struct TestOptions {
  std::filesystem::path config = "/etc/ipop/ipop.yaml";
  std::string direction;
  std::string protocol = "tcp";
  std::string remote;
  std::string local;
  std::vector<std::string> names;
  std::vector<std::string> groups;
  std::string node_id;
  std::optional<std::uint16_t> port;
  std::optional<unsigned> icmp_type;
  bool json = false;
};

conf::Config load_rules(const std::filesystem::path& file) {
  auto loaded = conf::load_file(file);
  if (loaded) return std::move(*loaded);
  std::string errors = conf::to_string(loaded.error());
  while (errors.ends_with('\n'))
    errors.pop_back();
  throw UsageError(errors);
}

IpAddress parse_end(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) throw UsageError("an address is like 192.168.10.10 or fd00::10, not " + text);
  return *address;
}

std::uint8_t parse_protocol(const std::string& text, bool v4) {
  if (text == "tcp") return fw::kTcp;
  if (text == "udp") return fw::kUdp;
  if (text == "sctp") return fw::kSctp;
  if (text == "icmp") return v4 ? fw::kIcmp : fw::kIcmpv6;
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw UsageError("a protocol is tcp, udp, icmp, sctp, or a number from 0 to 255, not " + text);
  }
  return number;
}

IpAddress own_address(const conf::Config& config, bool v4) {
  if (v4) return config.network.address.address;
  if (config.network.address6) return config.network.address6->address;
  throw UsageError("network.address6 is not set: give --local");
}

fw::PacketFacts facts_of(const TestOptions& options, const conf::Config& config,
                         fw::Direction direction) {
  fw::PacketFacts facts;
  facts.remote = parse_end(options.remote);
  const bool v4 = facts.remote.is_v4();
  facts.local = options.local.empty() ? own_address(config, v4) : parse_end(options.local);
  if (facts.local.is_v4() != v4) throw UsageError("both ends must be IPv4, or both IPv6");
  facts.protocol = parse_protocol(options.protocol, v4);
  facts.has_ports = facts.protocol == fw::kTcp || facts.protocol == fw::kUdp ||
                    facts.protocol == fw::kSctp || facts.protocol == fw::kDccp ||
                    facts.protocol == fw::kUdpLite;
  if (facts.has_ports != options.port.has_value()) {
    throw UsageError(facts.has_ports ? "which port? Give --port"
                                     : "only tcp, udp and sctp have ports");
  }
  if (options.icmp_type && (!facts.is_icmp() || *options.icmp_type > 255)) {
    throw UsageError("--icmp-type is 0 to 255, and for icmp alone");
  }
  const std::uint16_t port = options.port.value_or(0);
  (direction == fw::Direction::kIn ? facts.local_port : facts.remote_port) = port;
  if (facts.is_icmp())
    facts.icmp_type = static_cast<std::uint8_t>(options.icmp_type.value_or(v4 ? 8 : 128));
  return facts;
}

void test_packet(Context& context, const TestOptions& options) {
  if (options.direction != "in" && options.direction != "out") {
    throw UsageError("a packet goes in or out, not " + options.direction);
  }
  const conf::Config config = load_rules(options.config);
  const fw::Direction direction =
      options.direction == "in" ? fw::Direction::kIn : fw::Direction::kOut;
  const fw::RuleSet rules(config.firewall);
  const fw::Decision decision = rules.decide(
      direction, facts_of(options, config, direction),
      rules.marks_of(
          {.names = options.names, .node_id = options.node_id, .groups = options.groups}));
  const bool in = direction == fw::Direction::kIn;
  const std::string list = in ? "firewall.inbound" : "firewall.outbound";
  const char* const verdict = decision.allow ? "allow" : "deny";
  const bool by_default = decision.rule == rules.default_of(direction);
  const std::size_t index = decision.rule - (in ? 0 : config.firewall.inbound.size());
  const auto& all = in ? config.firewall.inbound : config.firewall.outbound;
  const std::string key = by_default
                              ? std::string("firewall.default_") + (in ? "inbound" : "outbound")
                              : list + "[" + std::to_string(index) + "]";
  const std::string text = by_default ? "" : fw::text_of(all[index], direction);
  if (options.json) {
    context.out << nlohmann::ordered_json{{"verdict", verdict},
                                          {"decided_by", key},
                                          {"name", by_default ? "" : all[index].name},
                                          {"rule", text}}
                       .dump(2)
                << '\n';
  } else if (by_default) {
    context.out << verdict << ": no rule of " << list << " matches, and " << key << " says so\n";
  } else {
    const std::string& name = all[index].name;
    context.out << printable(std::string(verdict) + ": " + key +
                             (name.empty() ? "" : " (" + name + ")") + ": " + text)
                << '\n';
  }
  if (!decision.allow) context.exit_code = kFailure;
}

}  // namespace

void add_firewall_test(CLI::App& firewall, Context& context) {
  const auto options = std::make_shared<TestOptions>();
  CLI::App* command = firewall.add_subcommand(
      "test", "Say which rule of a configuration decides about a packet: the first of a flow");
  command->add_option("direction", options->direction, "in: from a peer; out: to one")->required();
  command->add_option("--config", options->config, "The configuration")->capture_default_str();
  command->add_option("--remote", options->remote, "The peer's side's address")->required();
  command->add_option("--local", options->local, "Our side's; by itself that of network.address");
  command->add_option("--protocol", options->protocol, "tcp, udp, icmp, sctp, or a number")
      ->capture_default_str();
  command->add_option("--port", options->port, "The port that it goes to");
  command->add_option("--icmp-type", options->icmp_type, "By itself that of echo requests");
  command->add_option("--peer", options->names, "A name that the peer has proved");
  command->add_option("--group", options->groups, "A group that its certificate names");
  command->add_option("--node-id", options->node_id, "Its node id");
  command->add_flag("--json", options->json, "As JSON");
  command->callback([&context, options] { test_packet(context, *options); });
}

}  // namespace ipop::app
