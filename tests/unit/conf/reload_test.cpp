#include "conf/reload.hpp"

#include <gtest/gtest.h>

#include "conf/load.hpp"

namespace ipop::conf {
namespace {

Config load(const std::string& network, const std::string& rest = "") {
  auto loaded = load_text("network: {" + network + "}\n" + rest, "f");
  EXPECT_TRUE(loaded) << to_string(loaded.error());
  return loaded ? *loaded : Config{};
}

const std::string kNetwork = "name: n, address: 10.0.0.1/24, hostname: h";
using Names = std::vector<std::string_view>;

TEST(Reload, FindsNothingBetweenEquals) {
  EXPECT_TRUE(compare(load(kNetwork), load(kNetwork)).none());
}

TEST(Reload, TellsLiveKeysFromThoseThatNeedARestart) {
  const std::string key = "iKVFKR2QRYWcdlxOx9CYYOpR3TI6n1OUz0zYdzwHQTY=";
  const struct {
    std::string network;
    std::string rest;
    Names live;
    Names need_restart;
  } cases[] = {
      {"name: m, address: 10.0.0.1/24, hostname: h", "", {}, {"network.name"}},
      {kNetwork + ", secret: s", "", {}, {"network.secret"}},
      {"name: n, address: 10.0.0.1/16, hostname: h", "", {}, {"network.address"}},
      {kNetwork + ", address6: fd00::1/64", "", {}, {"network.address6"}},
      {"name: n, address: 10.0.0.1/24, hostname: g", "", {}, {"network.hostname"}},
      {kNetwork + ", routes: [10.1.0.0/16]", "", {"network.routes"}, {}},
      {kNetwork, "interface: {name: tap1}", {}, {"interface.name"}},
      {kNetwork, "interface: {mtu: 1200}", {}, {"interface.mtu"}},
      {kNetwork, "overlay: {listen: [\"0.0.0.0:4545\"]}", {}, {"overlay.listen"}},
      {kNetwork, "overlay: {bootstrap: [a]}", {"overlay.bootstrap"}, {}},
      {kNetwork, "overlay: {dht_network: 1}", {}, {"overlay.dht_network"}},
      {kNetwork,
       "overlay: {peers: [{public_key: " + key + ", allowed_ips: [10.0.0.2]}]}",
       {"overlay.peers"},
       {}},
      {kNetwork,
       "trust: {ca: [a], cert: b, key: c, crl: d}",
       {"trust.ca", "trust.cert", "trust.key", "trust.crl"},
       {}},
      {kNetwork, "overlay: {stun: [a.example]}", {}, {"overlay.stun"}},
      {kNetwork, "overlay: {relay: {use: false}}", {"overlay.relay.use"}, {}},
      {kNetwork, "overlay: {relay: {serve: true}}", {"overlay.relay.serve"}, {}},
      {kNetwork, "overlay: {relay: {limit_mbit: 5}}", {"overlay.relay.limit_mbit"}, {}},
      {kNetwork, "overlay: {lan_discovery: false}", {}, {"overlay.lan_discovery"}},
      {kNetwork, "overlay: {port_mapping: false}", {}, {"overlay.port_mapping"}},
      {kNetwork, "overlay: {port_guessing: no}", {"overlay.port_guessing"}, {}},
      {kNetwork, "engine: {cpus: 0}", {}, {"engine.cpus"}},
      {kNetwork, "engine: {cpus: [0, 1]}", {}, {"engine.cpus"}},
      {kNetwork, "engine: {lcores: 2}", {}, {"engine.lcores"}},
      {kNetwork, "engine: {lanes: 4}", {}, {"engine.lanes"}},
      {kNetwork, "engine: {poll: busy}", {}, {"engine.poll"}},
      {kNetwork, "engine: {hugepages: never}", {}, {"engine.hugepages"}},
      {kNetwork, "engine: {memory_mb: 64}", {}, {"engine.memory_mb"}},
      {kNetwork, "engine: {cipher: aes-256-gcm}", {}, {"engine.cipher"}},
      {kNetwork, "engine: {aead: libsodium}", {}, {"engine.aead"}},
      {kNetwork,
       "wire: {backend: dpdk, device: \"net_af_xdp0,iface=eth0\"}",
       {},
       {"wire.backend", "wire.device"}},
      {kNetwork,
       "wire: {backend: dpdk, device: \"00:05.0\", address: 192.0.2.1/24, gateway: 192.0.2.254, "
       "address6: \"2001:db8::1/64\", gateway6: \"fe80::1\", vlan: 7, mtu: 9000}",
       {},
       {"wire.backend", "wire.device", "wire.address", "wire.address6", "wire.gateway",
        "wire.gateway6", "wire.vlan", "wire.mtu"}},
      {kNetwork, "wire: {backend: socket, device: \"\", vlan: none, mtu: auto}", {}, {}},
      {kNetwork,
       "firewall: {default_inbound: deny, inbound: [{action: allow}], default_outbound: deny, "
       "outbound: [{action: allow}], max_flows: 2048}",
       {"firewall.default_inbound", "firewall.default_outbound", "firewall.inbound",
        "firewall.outbound"},
       {"firewall.max_flows"}},
      {kNetwork, "log: {level: debug}", {"log.level"}, {}},
      {kNetwork, "log: {format: json}", {"log.format"}, {}},
      {kNetwork, "paths: {state: /s}", {}, {"paths.state"}},
      {kNetwork, "paths: {runtime: /r}", {}, {"paths.runtime"}},
      {kNetwork + ", secret: s, routes: [10.1.0.0/16]",
       "log: {level: debug, format: json}\nengine: {poll: busy}",
       {"network.routes", "log.level", "log.format"},
       {"network.secret", "engine.poll"}},
  };
  const Config running = load(kNetwork);
  for (const auto& test : cases) {
    const Config next = load(test.network, test.rest);
    const Changes changes = compare(running, next);
    EXPECT_EQ(changes.live, test.live) << test.network << test.rest;
    EXPECT_EQ(changes.need_restart, test.need_restart) << test.network << test.rest;

    // Once the live ones are applied, only the others are left.
    const Changes left = compare(with_live_changes(running, next), next);
    EXPECT_TRUE(left.live.empty()) << test.network << test.rest;
    EXPECT_EQ(left.need_restart, test.need_restart) << test.network << test.rest;
  }
}

// A wire stays as it is until a restart, down to its gateway.
TEST(Reload, SeesAChangeOfEachKeyOfTheWire) {
  const auto with = [](const std::string& keys) {
    return load(kNetwork, "wire: {backend: dpdk, device: net_memif0, address: 192.0.2.1/24, " +
                              std::string("address6: \"2001:db8::1/64\"") + keys + "}");
  };
  const Config running = with("");
  for (const auto& [keys, name] : {std::pair{", gateway: 192.0.2.254", "wire.gateway"},
                                   {", gateway6: \"fe80::1\"", "wire.gateway6"},
                                   {", vlan: 1", "wire.vlan"},
                                   {", mtu: 1499", "wire.mtu"}}) {
    const Changes changes = compare(running, with(keys));
    EXPECT_TRUE(changes.live.empty()) << keys;
    EXPECT_EQ(changes.need_restart, Names{name}) << keys;
  }
}

TEST(Reload, SeesAChangeInsideAPeer) {
  const auto with = [](const std::string& keys) {
    return load(kNetwork,
                "overlay: {peers: [{public_key: iKVFKR2QRYWcdlxOx9CYYOpR3TI6n1OUz0zYdzwHQTY=, "
                "allowed_ips: [10.0.0.2]" +
                    keys + "}]}");
  };
  const Config running = with("");
  for (const char* keys : {", endpoint: \"192.0.2.1:1\"", ", protocol: wireguard", ", name: bob",
                           ", persistent_keepalive: 5",
                           ", preshared_key: vWqAjqgHm3rN0bL7DJqmYNtYQ0yyLRKFMoIMTPBOnYM="}) {
    EXPECT_EQ(compare(running, with(keys)).live, Names{"overlay.peers"}) << keys;
  }
}

}  // namespace
}  // namespace ipop::conf
