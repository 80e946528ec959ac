// What a configuration means once it is loaded. What is refused stands in refusal_test.cpp.
#include "conf/load.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "conf/hostname.hpp"

namespace ipop::conf {
namespace {

constexpr const char* kMinimal = "network: {name: n, address: 10.0.0.1/24}\n";

Config load(const std::string& text) {
  auto loaded = load_text(text, "f");
  EXPECT_TRUE(loaded) << to_string(loaded.error());
  return loaded ? *loaded : Config{};
}

TEST(Load, FillsInTheDefaults) {
  const Config config = load(kMinimal);
  EXPECT_EQ(config.network.name, "n");
  EXPECT_EQ(config.network.secret, "");
  EXPECT_EQ(config.network.address.to_string(), "10.0.0.1/24");
  EXPECT_FALSE(config.network.address6);
  EXPECT_EQ(config.network.hostname, machine_hostname());
  EXPECT_TRUE(config.network.routes.empty());
  EXPECT_EQ(config.interface.name, "tapipop");
  EXPECT_FALSE(config.interface.mtu);
  ASSERT_EQ(config.overlay.listen.size(), 2u);
  EXPECT_EQ(config.overlay.listen[0].to_string(), "0.0.0.0:4545");
  EXPECT_EQ(config.overlay.listen[1].to_string(), "[::]:4545");
  EXPECT_TRUE(config.overlay.bootstrap.empty());
  EXPECT_TRUE(config.overlay.peers.empty());
  EXPECT_EQ(config.overlay.dht_network, 0u);
  EXPECT_EQ(config.engine.lcores, 0u);
  EXPECT_TRUE(config.engine.cpus.empty());
  EXPECT_EQ(config.engine.lanes, 0u);
  EXPECT_EQ(config.engine.poll, PollMode::kAdaptive);
  EXPECT_EQ(config.engine.hugepages, Hugepages::kAuto);
  EXPECT_EQ(config.engine.memory_mb, 0u);
  EXPECT_EQ(config.engine.cipher, CipherChoice::kAuto);
  EXPECT_EQ(config.engine.aead, AeadChoice::kAuto);
  EXPECT_EQ(config.wire, Wire{});
  EXPECT_EQ(config.wire.backend, WireBackend::kSocket);
  EXPECT_EQ(config.wire.vlan, 0);
  EXPECT_EQ(config.wire.mtu, 1500);
  EXPECT_EQ(config.log.level, log::Level::kInfo);
  EXPECT_EQ(config.log.format, log::Format::kText);
  EXPECT_EQ(config.paths.state, "/var/lib/ipop");
  EXPECT_EQ(config.paths.runtime, "/run/ipop");
}

TEST(Load, ReadsEveryKey) {
  const Config config = load(R"(
network:
  name: "a: name # with everything"
  secret: sesame
  address: 172.16.0.5/16
  address6: fd00::5/64
  hostname: alice.example
  routes: [10.1.0.0/16, "fd00:1::/48"]
interface: {name: ipop0, mtu: 1280}
overlay:
  listen: ["[::1]:0"]
  bootstrap: [one.example, two.example:1, 192.0.2.1, "192.0.2.1:2", "[2001:db8::1]:3", "2001:db8::1"]
  stun: [stun.example, "192.0.2.9:99"]
  lan_discovery: off
  port_mapping: off
  port_guessing: no
  relay: {use: no, serve: yes, limit_mbit: 250}
  dht_network: 4294967295
  peers:
    - name: bob
      public_key: iKVFKR2QRYWcdlxOx9CYYOpR3TI6n1OUz0zYdzwHQTY=
      endpoint: 192.0.2.20:4545
      allowed_ips: [172.16.0.6/32, 172.16.0.7]
      protocol: wireguard
      preshared_key: vWqAjqgHm3rN0bL7DJqmYNtYQ0yyLRKFMoIMTPBOnYM=
      persistent_keepalive: 25
    - {public_key: "QTpN2jqXcWvTsn1yTGWJZ4mUCqOBiE2+TurEQQSFPFs=", allowed_ips: ["::/0"]}
engine: {lcores: 3, cpus: [2, auto, 5], lanes: 8, poll: busy, hugepages: require, memory_mb: 128, cipher: aes-256-gcm, aead: ipsec-mb}
log: {level: trace, format: json}
paths: {state: /tmp/state, runtime: /tmp/run}
)");
  EXPECT_EQ(config.network.name, "a: name # with everything");
  EXPECT_EQ(config.network.secret, "sesame");
  EXPECT_EQ(config.network.address.to_string(), "172.16.0.5/16");
  EXPECT_EQ(config.network.address6->to_string(), "fd00::5/64");
  EXPECT_EQ(config.network.hostname, "alice.example");
  ASSERT_EQ(config.network.routes.size(), 2u);
  EXPECT_EQ(config.network.routes[1].to_string(), "fd00:1::/48");
  EXPECT_EQ(config.interface.name, "ipop0");
  EXPECT_EQ(config.interface.mtu, 1280);
  ASSERT_EQ(config.overlay.listen.size(), 1u);
  EXPECT_EQ(config.overlay.listen[0].to_string(), "[::1]:0");
  const std::vector<HostPort> stun = {{"stun.example", 3478}, {"192.0.2.9", 99}};
  EXPECT_EQ(config.overlay.stun, stun);
  EXPECT_FALSE(config.overlay.lan_discovery);
  EXPECT_FALSE(config.overlay.port_mapping);
  EXPECT_EQ(config.overlay.port_guessing, PortGuessing::kNo);
  EXPECT_EQ(config.overlay.relay,
            (Relay{.use = false, .serve = RelayServe::kYes, .limit_mbit = 250}));
  const std::vector<HostPort> bootstrap = {{"one.example", 4222}, {"two.example", 1},
                                           {"192.0.2.1", 4222},   {"192.0.2.1", 2},
                                           {"2001:db8::1", 3},    {"2001:db8::1", 4222}};
  EXPECT_EQ(config.overlay.bootstrap, bootstrap);
  EXPECT_EQ(config.overlay.dht_network, 0xffffffffu);
  ASSERT_EQ(config.overlay.peers.size(), 2u);
  const StaticPeer& bob = config.overlay.peers[0];
  EXPECT_EQ(bob.name, "bob");
  EXPECT_EQ(to_base64(bob.public_key), "iKVFKR2QRYWcdlxOx9CYYOpR3TI6n1OUz0zYdzwHQTY=");
  EXPECT_EQ(bob.endpoint->to_string(), "192.0.2.20:4545");
  ASSERT_EQ(bob.allowed_ips.size(), 2u);
  EXPECT_EQ(bob.allowed_ips[1].to_string(), "172.16.0.7/32");
  EXPECT_EQ(bob.protocol, PeerProtocol::kWireGuard);
  EXPECT_EQ(to_base64(bob.preshared_key->bytes()), "vWqAjqgHm3rN0bL7DJqmYNtYQ0yyLRKFMoIMTPBOnYM=");
  EXPECT_EQ(bob.persistent_keepalive_s, 25);
  const StaticPeer& other = config.overlay.peers[1];
  EXPECT_EQ(other.protocol, PeerProtocol::kIpop);
  EXPECT_FALSE(other.endpoint);
  EXPECT_FALSE(other.preshared_key);
  EXPECT_EQ(other.persistent_keepalive_s, 0);
  EXPECT_EQ(config.engine.lcores, 3u);
  EXPECT_EQ(config.engine.cpus, (std::vector<std::uint32_t>{2, kAnyCpu, 5}));
  EXPECT_EQ(config.engine.lanes, 8u);
  EXPECT_EQ(config.engine.poll, PollMode::kBusy);
  EXPECT_EQ(config.engine.hugepages, Hugepages::kRequire);
  EXPECT_EQ(config.engine.memory_mb, 128u);
  EXPECT_EQ(config.engine.cipher, CipherChoice::kAes256Gcm);
  EXPECT_EQ(config.engine.aead, AeadChoice::kIpsecMb);
  EXPECT_EQ(config.log.level, log::Level::kTrace);
  EXPECT_EQ(config.log.format, log::Format::kJson);
  EXPECT_EQ(config.paths.state, "/tmp/state");
  EXPECT_EQ(config.paths.runtime, "/tmp/run");
}

TEST(Load, KnowsHowMuchPortsAreToBeGuessed) {
  const auto guessing = [](const std::string& value) {
    return load("network: {name: n, address: 10.0.0.1/24}\noverlay: {port_guessing: " + value +
                "}\n")
        .overlay.port_guessing;
  };
  EXPECT_EQ(guessing("thorough"), PortGuessing::kThorough);
  EXPECT_EQ(guessing("on"), PortGuessing::kYes);
  EXPECT_EQ(guessing("off"), PortGuessing::kNo);
}

TEST(Load, TakesKeysWithoutAValueForAbsent) {
  const Config config = load(
      "network: {name: n, address: 10.0.0.1/24, secret: \"\", secret_file: \"\", address6: \"\", "
      "hostname: \"\", routes: }\ninterface:\noverlay: {listen: ~, peers: }\nengine: {poll: }\n");
  EXPECT_EQ(config.network.hostname, machine_hostname());
  EXPECT_EQ(config.overlay.listen.size(), 2u);
  EXPECT_TRUE(config.overlay.lan_discovery);
  EXPECT_TRUE(config.overlay.port_mapping);
  EXPECT_EQ(config.overlay.port_guessing, PortGuessing::kYes);
  EXPECT_EQ(config.overlay.relay, Relay{});
  EXPECT_EQ(config.interface.name, "tapipop");
}

TEST(Load, AcceptsKeysNotSupportedYetThatAskForNothing) {
  load(std::string(kMinimal) + R"(
interface: {name: tapipop, mtu: auto, mode: ip}
trust: {ca: [], cert: "", key: "", crl: ""}
engine: {lcores: auto, cpus: 3, lanes: 1}
wire: {backend: socket, device: "", address: "", gateway: "", mtu: auto, queues: auto}
firewall: {inbound: [], outbound: []}
metrics: {listen: ""}
)");
  load(std::string(kMinimal) +
       "trust: {}\nfirewall: {}\nwire:\nmetrics: \"\"\noverlay: {relay: {}}\n");
}

TEST(Load, AcceptsAddressesAtTheEdges) {
  for (const char* address : {"10.0.0.0/31", "10.0.0.1/31", "10.0.0.7/32", "10.255.255.254/8",
                              "192.168.10.254/24", "169.254.1.1/16"}) {
    load("network: {name: n, address: " + std::string(address) + "}\n");
  }
  for (const char* address : {"fd00::/127", "fd00::1/128", "fd00::ffff/112"}) {
    load("network: {name: n, address: 10.0.0.1/24, address6: \"" + std::string(address) + "\"}\n");
  }
}

TEST(Load, ReadsFilesAndSaysWhyItCannot) {
  std::string folder = "/tmp/ipop-load-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "ipop.yaml";
  EXPECT_EQ(to_string(load_file(file).error()),
            file.string() + ": cannot be opened: No such file or directory\n");
  EXPECT_EQ(to_string(load_file(folder).error()), folder + ": cannot be read: Is a directory\n");
  std::ofstream(file) << kMinimal;
  EXPECT_TRUE(load_file(file));
  std::ofstream(file) << "network: {name: n}\n";
  EXPECT_EQ(to_string(load_file(file).error()),
            file.string() + ":1:1: network.address is required\n");
  std::ofstream(file) << std::string((1 << 20) + 1, '\n');
  EXPECT_EQ(to_string(load_file(file).error()),
            file.string() + ": larger than 1 MiB, the most that a configuration may have\n");
  std::filesystem::remove_all(folder);
}

TEST(Hostname, KeepsTheFirstLabelAndOnlyGoodCharacters) {
  EXPECT_EQ(tidy_hostname("alice.example.org"), "alice");
  EXPECT_EQ(tidy_hostname("my host\n"), "my-host-");
  EXPECT_EQ(tidy_hostname(std::string(80, 'a')), std::string(63, 'a'));
  EXPECT_EQ(tidy_hostname(""), "ipop");
  EXPECT_EQ(tidy_hostname(".local"), "ipop");
}

}  // namespace
}  // namespace ipop::conf
