// `ipop firewall test`, which needs no daemon, and what status says of rules and their counters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "app/cli/status_table.hpp"
#include "app/firewall_rules.hpp"
#include "overlay/status_json.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

using ::testing::HasSubstr;

constexpr const char* kConfig = R"(
network: {name: n, address: 10.0.0.1/24, address6: "fd00::1/64", hostname: h}
firewall:
  default_inbound: deny
  inbound:
    - {name: no guests, action: deny, groups: guests}
    - {action: allow, protocol: tcp, ports: 22, groups: admin, peers: bob}
    - {action: allow, protocol: icmp, icmp_types: echo}
    - {action: allow, protocol: udp, remote: 10.0.0.0/24, local: 10.0.0.1}
  outbound:
    - {action: deny, protocol: tcp, ports: 25}
)";

class FirewallTest : public ::testing::Test {
 protected:
  FirewallTest() { std::ofstream(file_) << kConfig; }

  Outcome ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"firewall", "test", "--config", file_});
    return ipop(arguments);
  }

  TemporaryDirectory folder_;
  const std::string file_ = (folder_.path() / "ipop.yaml").string();
};

TEST_F(FirewallTest, SaysWhichRuleDecides) {
  const struct {
    std::vector<std::string> arguments;
    int code;
    std::string said;
  } cases[] = {
      {{"in", "--remote", "10.0.0.2", "--port", "22", "--group", "admin", "--peer", "Bob"},
       0,
       "allow: firewall.inbound[1]: allow tcp 22 from group admin, peer bob\n"},
      {{"in", "--remote", "10.0.0.2", "--port", "22", "--group", "admin"},
       1,
       "deny: no rule of firewall.inbound matches, and firewall.default_inbound says so\n"},
      {{"in", "--remote", "10.0.0.2", "--port", "22", "--group", "guests", "--group", "admin",
        "--peer", "bob"},
       1,
       "deny: firewall.inbound[0] (no guests): deny any from group guests\n"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "icmp"},
       0,
       "allow: firewall.inbound[2]: allow icmp echo\n"},
      {{"in", "--remote", "fd00::2", "--protocol", "icmp"},
       0,
       "allow: firewall.inbound[2]: allow icmp echo\n"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "icmp", "--icmp-type", "13"}, 1, "deny: no"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "udp", "--port", "53"},
       0,
       "allow: firewall.inbound[3]: allow udp from 10.0.0.0/24 to 10.0.0.1/32\n"},
      {{"in", "--remote", "10.0.0.2", "--local", "10.0.0.3", "--protocol", "udp", "--port", "53"},
       1,
       "deny: no rule"},
      {{"out", "--remote", "10.0.0.2", "--port", "25"},
       1,
       "deny: firewall.outbound[0]: deny tcp 25\n"},
      {{"out", "--remote", "10.0.0.2", "--port", "26"},
       0,
       "allow: no rule of firewall.outbound matches, and firewall.default_outbound says so\n"},
      {{"out", "--remote", "10.0.0.2", "--protocol", "47"}, 0, "allow: no rule"},
  };
  for (const auto& test : cases) {
    const Outcome outcome = ask(test.arguments);
    EXPECT_EQ(outcome.code, test.code) << test.said << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(test.said));
  }
}

TEST_F(FirewallTest, AnswersAsJson) {
  const Outcome outcome =
      ask({"in", "--remote", "10.0.0.2", "--port", "80", "--group", "guests", "--json"});
  EXPECT_EQ(outcome.code, 1);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["verdict"], "deny");
  EXPECT_EQ(json["decided_by"], "firewall.inbound[0]");
  EXPECT_EQ(json["name"], "no guests");
  EXPECT_EQ(json["rule"], "deny any from group guests");
}

TEST_F(FirewallTest, SaysWhatItCannotAsk) {
  const struct {
    std::vector<std::string> arguments;
    std::string said;
  } cases[] = {
      {{"sideways", "--remote", "10.0.0.2", "--port", "1"}, "a packet goes in or out"},
      {{"in", "--remote", "bob", "--port", "1"}, "an address is like"},
      {{"in", "--remote", "10.0.0.2"}, "which port? Give --port"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "icmp", "--port", "1"}, "have ports"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "tpc", "--port", "1"}, "a protocol is tcp"},
      {{"in", "--remote", "10.0.0.2", "--protocol", "256"}, "a protocol is tcp"},
      {{"in", "--remote", "10.0.0.2", "--port", "1", "--icmp-type", "3"}, "for icmp alone"},
      {{"in", "--remote", "10.0.0.2", "--local", "fd00::1", "--port", "1"}, "both ends must be"},
      {{"in", "--port", "1"}, "--remote is required"},
  };
  for (const auto& test : cases) {
    const Outcome outcome = ask(test.arguments);
    EXPECT_EQ(outcome.code, 2) << test.said;
    EXPECT_THAT(outcome.err, HasSubstr(test.said));
  }
  const Outcome bad = ipop({"firewall", "test", "--config", "/nowhere/ipop.yaml", "in", "--remote",
                            "10.0.0.2", "--port", "1"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, HasSubstr("/nowhere/ipop.yaml"));
}

TEST(FirewallStatus, ListsEachRuleWithItsCounters) {
  conf::Firewall rules;
  rules.default_inbound = conf::FirewallAction::kDeny;
  rules.inbound = {{.name = "ssh", .action = conf::FirewallAction::kAllow, .ports = {{22, 22}}}};
  rules.outbound = {{.action = conf::FirewallAction::kDeny, .protocols = {6}}};
  const engine::FirewallCounts counts{
      .on = true, .flows = 7, .max_flows = 1024, .rules = {{1, 10}, {2, 20}, {3, 30}, {4, 40}}};
  overlay::Status status;
  status.firewall = firewall_status(rules, counts);
  const auto read = overlay::status_from_json(overlay::to_json(status));
  ASSERT_TRUE(read);
  const overlay::FirewallStatus& firewall = read->firewall;
  EXPECT_TRUE(firewall.on);
  EXPECT_EQ(firewall.flows, 7u);
  EXPECT_EQ(firewall.max_flows, 1024u);
  ASSERT_EQ(firewall.rules.size(), 4u);
  const struct {
    const char* direction;
    const char* name;
    const char* rule;
    std::uint64_t packets;
  } expected[] = {{"inbound", "ssh", "allow any 22", 1},
                  {"inbound", "", "deny by default", 3},
                  {"outbound", "", "deny tcp", 2},
                  {"outbound", "", "allow by default", 4}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(firewall.rules[i].direction, expected[i].direction) << i;
    EXPECT_EQ(firewall.rules[i].name, expected[i].name) << i;
    EXPECT_EQ(firewall.rules[i].rule, expected[i].rule) << i;
    EXPECT_EQ(firewall.rules[i].packets, expected[i].packets) << i;
    EXPECT_EQ(firewall.rules[i].bytes, 10 * expected[i].packets) << i;
  }
  EXPECT_THAT(node_text(*read), HasSubstr("firewall    2 rules, 7 flows of 1024 at most"));
  EXPECT_EQ(node_text({}).find("firewall"), std::string::npos);
}

}  // namespace
}  // namespace ipop::app
