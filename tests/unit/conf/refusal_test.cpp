// Every way in which a configuration can be wrong, with what is said about it and where.
#include <gtest/gtest.h>

#include "conf/load.hpp"
#include "conf/schema.hpp"

namespace ipop::conf {
namespace {

std::string errors_of(std::string_view text) {
  const auto loaded = load_text(text, "f");
  return loaded ? "" : to_string(loaded.error());
}

struct Refusal {
  const char* description;
  std::string yaml;
  std::string errors;  // without the file's name
};

void check(std::span<const Refusal> cases) {
  for (const Refusal& test : cases) {
    std::string expected;
    for (std::size_t at = 0; at < test.errors.size();) {
      const std::size_t end = test.errors.find('\n', at);
      expected += "f:" + test.errors.substr(at, end - at) + "\n";
      if (end == std::string::npos) break;
      at = end + 1;
    }
    EXPECT_EQ(errors_of(test.yaml), expected) << test.description;
  }
}

// A good network section in one line; what follows begins in line 2.
const std::string kGood = "network: {name: n, address: 10.0.0.1/24}\n";
const std::string kKey = "iKVFKR2QRYWcdlxOx9CYYOpR3TI6n1OUz0zYdzwHQTY=";
const std::string kOtherKey = "QTpN2jqXcWvTsn1yTGWJZ4mUCqOBiE2+TurEQQSFPFs=";

std::string network(const std::string& keys) {
  return "network: {name: n, address: 10.0.0.1/24, " + keys + "}\n";
}

std::string with_address(const std::string& address) {
  return "network: {name: n, address: \"" + address + "\"}\n";
}

TEST(Refusal, ConcernsTheShapeOfTheFile) {
  const Refusal cases[] = {
      {"nothing", "", "1:1: network.name is required\n1:1: network.address is required"},
      {"a word", "hello\n", "1:1: the file must be a map of keys"},
      {"a list", "- a\n", "1:1: the file must be a map of keys"},
      {"a section that is a word", "network: n\n", "1:10: network must be a map of keys"},
      {"a section that is a list", kGood + "log: [a]\n", "2:6: log must be a map of keys"},
      {"a list that is a word", network("routes: 10.1.0.0/16"),
       "1:50: network.routes must be a list, such as [one, two]"},
      {"a word that is a list", network("hostname: [a]"),
       "1:52: network.hostname must be a single value, not a list"},
      {"a word that is a map", network("hostname: {a: b}"),
       "1:52: network.hostname must be a single value, not a map of keys"},
      {"an empty item", network("routes: [10.1.0.0/16, ~]"),
       "1:64: network.routes has an empty item"},
      {"peers that are a map", kGood + "overlay: {peers: {a: b}}\n",
       "2:18: overlay.peers must be a list"},
      {"a peer that is a word", kGood + "overlay: {peers: [a]}\n",
       "2:19: overlay.peers[0] must be a map of keys"},
      {"an alias as a value", "network: {name: &a n, address: *a}\n",
       "1:17: anchors are not read here; remove \"&a\"\n"
       "1:32: aliases are not read here; write the value out"},
  };
  check(cases);
}

TEST(Refusal, ConcernsUnknownKeys) {
  const Refusal cases[] = {
      {"nothing like it", network("foo: 1"), "1:42: unknown key \"foo\" in network"},
      {"a spelling mistake", "network: {nmae: n, adress: 10.0.0.1/24}\n",
       "1:1: network.name is required\n1:1: network.address is required\n"
       "1:11: unknown key \"nmae\" in network (did you mean name?)\n"
       "1:20: unknown key \"adress\" in network (did you mean address?)"},
      {"a key of another section", kGood + "listen: []\n",
       "2:1: unknown key \"listen\" (did you mean overlay.listen?)"},
      {"a section", kGood + "overlays: {}\n",
       "2:1: unknown key \"overlays\" (did you mean overlay?)"},
      {"a path as a key", kGood + "log.level: info\n", "2:1: unknown key \"log.level\""},
      {"a merge key", kGood + "log: {<<: {level: info}}\n", "2:7: unknown key \"<<\" in log"},
      {"in a peer",
       kGood + "overlay:\n  peers:\n    - {public_key: " + kKey + ", allowed_ips: [10.0.0.2], " +
           "keys: 1}\n",
       "4:91: unknown key \"keys\" in overlay.peers[0]"},
      {"in a section not supported yet", kGood + "firewall: {inbounds: []}\n",
       "2:12: unknown key \"inbounds\" in firewall (did you mean inbound?)"},
  };
  check(cases);
}

TEST(Refusal, ConcernsTheNetwork) {
  const std::string not_v4 = " is not an address with a prefix length, such as 192.168.10.10/24";
  const auto at = [](const std::string& error) { return "1:29: network.address: " + error; };
  const Refusal cases[] = {
      {"an empty name", "network: {name: \"\", address: 10.0.0.1/24}\n",
       "1:17: network.name: must have 1 to 128 bytes"},
      {"a long name", "network: {name: " + std::string(129, 'n') + ", address: 10.0.0.1/24}\n",
       "1:17: network.name: must have 1 to 128 bytes"},
      {"a name with a line end", "network:\n  name: |\n    n\n  address: 10.0.0.1/24\n",
       "2:9: network.name: must not have tabs, line ends or control characters"},
      {"no name, no address", "network: {}\n",
       "1:1: network.name is required\n1:1: network.address is required"},
      {"auto", with_address("auto"),
       at("auto is not supported yet; write an address such as 192.168.10.10/24")},
      {"not an address", with_address("10.0.0.300/24"), at("\"10.0.0.300/24\"" + not_v4)},
      {"empty", with_address(""), at("\"\"" + not_v4)},
      {"a bad length", with_address("10.0.0.1/33"), at("\"10.0.0.1/33\"" + not_v4)},
      {"no length", with_address("10.0.0.1"),
       at("\"10.0.0.1\" lacks its prefix length, as in 192.168.10.10/24")},
      {"no subnet at all", with_address("10.0.0.1/0"),
       at("\"10.0.0.1/0\" has a prefix length of 0")},
      {"IPv6", with_address("fd00::1/64"),
       at("\"fd00::1/64\" is not IPv4; an IPv6 address belongs in address6")},
      {"the subnet", with_address("10.0.0.0/24"),
       at("\"10.0.0.0/24\" is the address of the subnet itself, not a host's")},
      {"broadcast", with_address("10.0.0.255/24"),
       at("\"10.0.0.255/24\" is the broadcast address of its subnet, not a host's")},
      {"broadcast of a small subnet", with_address("10.0.0.3/30"),
       at("\"10.0.0.3/30\" is the broadcast address of its subnet, not a host's")},
      {"multicast", with_address("224.0.0.5/24"),
       at("\"224.0.0.5/24\" is a multicast or broadcast address, not a host's")},
      {"loopback", with_address("127.0.0.1/8"),
       at("\"127.0.0.1/8\" is a loopback address, not a host's")},
      {"this network", with_address("0.1.2.3/24"),
       at("\"0.1.2.3/24\" is a reserved address, not a host's")},
      {"IPv4 for IPv6", network("address6: 10.0.0.1/24"),
       "1:52: network.address6: \"10.0.0.1/24\" is not IPv6"},
      {"link-local IPv6", network("address6: fe80::1/64"),
       "1:52: network.address6: \"fe80::1/64\" is a link-local address, not a host's"},
      {"the subnet's anycast address", network("address6: fd00::/64"),
       "1:52: network.address6: \"fd00::/64\" is the address of the subnet itself, not a host's"},
      {"a bad host name", network("hostname: a b"),
       "1:52: network.hostname: \"a b\" is not a name of at most 63 letters, digits, \"-\", \"_\" "
       "and \".\""},
      {"a long secret, not shown", network("secret: " + std::string(1025, 's')),
       "1:50: network.secret: must have at most 1024 bytes"},
  };
  check(cases);
}

TEST(Refusal, ConcernsRoutes) {
  std::string many = "10.1.0.0/24";
  for (int i = 1; i < 17; ++i)
    many += ", 10.1." + std::to_string(i) + ".0/24";
  const Refusal cases[] = {
      {"not a subnet", network("routes: [x]"),
       "1:51: network.routes[0]: \"x\" is not a subnet such as 10.1.0.0/16"},
      {"host bits", network("routes: [10.1.0.0/16, 10.2.0.1/16]"),
       "1:64: network.routes[1]: \"10.2.0.1/16\" has bits set beyond its length; write "
       "10.2.0.0/16"},
      {"the own network", network("routes: [10.0.0.128/25]"),
       "1:51: network.routes: 10.0.0.128/25 overlaps the virtual network, 10.0.0.0/24"},
      {"everything", network("routes: [0.0.0.0/0]"),
       "1:51: network.routes: 0.0.0.0/0 overlaps the virtual network, 10.0.0.0/24"},
      {"the own IPv6 network", network("address6: fd00::1/64, routes: [\"fd00::/48\"]"),
       "1:73: network.routes: fd00::/48 overlaps the virtual network, fd00::/64"},
      {"one another, after a bad one", network("routes: [x, 10.1.0.0/16, 10.1.2.0/24]"),
       "1:51: network.routes[0]: \"x\" is not a subnet such as 10.1.0.0/16\n"
       "1:67: network.routes: 10.1.2.0/24 overlaps 10.1.0.0/16"},
      {"multicast", network("routes: [224.0.0.0/4]"),
       "1:51: network.routes[0]: \"224.0.0.0/4\" is not a subnet of hosts: it is multicast or "
       "loopback"},
      {"too many", network("routes: [" + many + "]"),
       "1:50: network.routes: at most 16 subnets can be announced"},
  };
  check(cases);
}

TEST(Refusal, ConcernsInterfaceEngineLogAndPaths) {
  const std::string name =
      " is not a name for an interface: 1 to 15 characters, no space, \"/\", "
      "\":\" or \"%\"";
  const Refusal cases[] = {
      {"a long name", kGood + "interface: {name: sixteen_letters_}\n",
       "2:19: interface.name: \"sixteen_letters_\"" + name},
      {"a name with a slash", kGood + "interface: {name: a/b}\n",
       "2:19: interface.name: \"a/b\"" + name},
      {"a name that the kernel would number", kGood + "interface: {name: tap%d}\n",
       "2:19: interface.name: \"tap%d\"" + name},
      {"the name of a directory", kGood + "interface: {name: ..}\n",
       "2:19: interface.name: \"..\"" + name},
      {"a small MTU", kGood + "interface: {mtu: 575}\n",
       "2:18: interface.mtu: \"575\" is not auto or a number from 576 to 9000"},
      {"a large MTU", kGood + "interface: {mtu: 70000}\n",
       "2:18: interface.mtu: \"70000\" is not auto or a number from 576 to 9000"},
      {"an MTU in words", kGood + "interface: {mtu: 1e3}\n",
       "2:18: interface.mtu: \"1e3\" is not auto or a number from 576 to 9000"},
      {"an MTU too small for IPv6", network("address6: fd00::1/64") + "interface: {mtu: 1279}\n",
       "2:18: interface.mtu: IPv6 (network.address6) needs at least 1280"},
      {"poll", kGood + "engine: {poll: Busy}\n",
       "2:16: engine.poll: \"Busy\" is not one of: adaptive, busy"},
      {"hugepages", kGood + "engine: {hugepages: yes}\n",
       "2:21: engine.hugepages: \"yes\" is not one of: auto, never, require"},
      {"no lcores", kGood + "engine: {lcores: 0}\n",
       "2:18: engine.lcores: \"0\" is not auto or a number from 1 to 32"},
      {"too many lanes", kGood + "engine: {lanes: 33}\n",
       "2:17: engine.lanes: \"33\" is not auto or a number from 1 to 32"},
      {"more processors than lcores", kGood + "engine: {lcores: 1, cpus: [0, 1]}\n",
       "2:27: engine.cpus names 2 processors for engine.lcores 1"},
      {"a processor for two lcores", kGood + "engine: {cpus: [1, auto, auto, 1]}\n",
       "2:32: engine.cpus: two lcores cannot have processor 1"},
      {"cpus in a map", kGood + "engine: {cpus: {a: 1}}\n",
       "2:16: engine.cpus must be a single value, not a map of keys"},
      {"cpus", kGood + "engine: {cpus: 0-3}\n",
       "2:16: engine.cpus: \"0-3\" is not auto or a number from 0 to 1023"},
      {"memory", kGood + "engine: {memory_mb: -1}\n",
       "2:21: engine.memory_mb: \"-1\" is not auto or a number from 64 to 65536"},
      {"cipher", kGood + "engine: {cipher: des}\n",
       "2:18: engine.cipher: \"des\" is not one of: auto, aes-256-gcm, chacha20-poly1305"},
      {"aead", kGood + "engine: {aead: openssl}\n",
       "2:16: engine.aead: \"openssl\" is not one of: auto, avx512, vaes256, avx2, ipsec-mb, "
       "libsodium"},
      {"log level", kGood + "log: {level: loud}\n",
       "2:14: log.level: \"loud\" is not one of: trace, debug, info, warning, error"},
      {"log format", kGood + "log: {format: xml}\n",
       "2:15: log.format: \"xml\" is not one of: text, json"},
      {"a relative path", kGood + "paths: {state: lib}\n",
       "2:16: paths.state: \"lib\" is not an absolute path of at most 80 bytes"},
      {"one directory for two", kGood + "paths: {runtime: /var/lib/./ipop}\n",
       "2:18: paths.state and paths.runtime must be two directories"},
  };
  check(cases);
}

TEST(Refusal, ConcernsListenAndBootstrap) {
  const std::string host = " is not a host and a port, such as bootstrap.example.org:4222";
  const Refusal cases[] = {
      {"nothing to listen on", kGood + "overlay: {listen: []}\n",
       "2:19: overlay.listen must not be empty"},
      {"no port", kGood + "overlay: {listen: [0.0.0.0]}\n",
       "2:20: overlay.listen[0]: \"0.0.0.0\" is not an address and a port, such as 0.0.0.0:4545 or "
       "[::]:4545"},
      {"multicast", kGood + "overlay: {listen: [\"224.0.0.1:1\"]}\n",
       "2:20: overlay.listen[0]: \"224.0.0.1:1\" is not an address of this machine"},
      {"two of one family", kGood + "overlay: {listen: [\"1.2.3.4:5\", \"1.2.3.5:5\"]}\n",
       "2:33: overlay.listen: only one IPv4 and one IPv6 address can be listened on"},
      {"two ports", kGood + "overlay: {listen: [\"1.2.3.4:5\", \"[::]:6\"]}\n",
       "2:33: overlay.listen: IPv4 and IPv6 must use the same port"},
      {"an empty host", kGood + "overlay: {bootstrap: [\":4222\"]}\n",
       "2:23: overlay.bootstrap[0]: \":4222\"" + host},
      {"a bad host", kGood + "overlay: {bootstrap: [\"a b\", \"a..b\", \"1.2.3\", \"[x]:1\"]}\n",
       "2:23: overlay.bootstrap[0]: \"a b\"" + host + "\n2:30: overlay.bootstrap[1]: \"a..b\"" +
           host + "\n2:38: overlay.bootstrap[2]: \"1.2.3\"" + host +
           "\n2:47: overlay.bootstrap[3]: \"[x]:1\"" + host},
      {"a bad port", kGood + "overlay: {bootstrap: [\"a:0\", \"[::1]4\"]}\n",
       "2:23: overlay.bootstrap[0]: \"a:0\" ends in something else than a port from 1 to 65535\n"
       "2:30: overlay.bootstrap[1]: \"[::1]4\" ends in something else than a port from 1 to 65535"},
      {"twice", kGood + "overlay: {bootstrap: [a.example, \"a.example:4222\"]}\n",
       "2:34: overlay.bootstrap: \"a.example\" is listed twice"},
      {"a network number", kGood + "overlay: {dht_network: 4294967296}\n",
       "2:24: overlay.dht_network: \"4294967296\" is not a number from 0 to 4294967295"},
  };
  check(cases);
}

std::string peers(const std::string& items) {
  return kGood + "overlay:\n  peers:\n" + items;
}

TEST(Refusal, ConcernsPeers) {
  const std::string no_key = "not a key: 32 bytes in base64, as wg prints them";
  const std::string bob = "    - {name: bob, public_key: " + kKey + ", allowed_ips: [10.0.0.2]}\n";
  const Refusal cases[] = {
      {"nothing said", peers("    - {}\n"),
       "4:7: overlay.peers[0].public_key is required\n"
       "4:7: overlay.peers[0].allowed_ips is required"},
      {"bad keys, which are not shown",
       peers("    - public_key: hunter2\n      preshared_key: " + kKey + kKey +
             "\n      allowed_ips: []\n"),
       "4:19: overlay.peers[0].public_key: " + no_key + "\n5:22: overlay.peers[0].preshared_key: " +
           no_key + "\n6:20: overlay.peers[0].allowed_ips must not be empty"},
      {"a key of zeros",
       peers("    - {public_key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=, "
             "allowed_ips: [10.0.0.2]}\n"),
       "4:20: overlay.peers[0].public_key: a key of zeros protects nothing"},
      {"bad values",
       peers("    - public_key: " + kKey +
             "\n      endpoint: bob:1\n      allowed_ips: [10.0.0.2/24]\n      protocol: ipsec\n"
             "      persistent_keepalive: 0\n      name: " +
             std::string(64, 'n') + "\n"),
       "5:17: overlay.peers[0].endpoint: \"bob:1\" is not an address and a port, such as "
       "192.0.2.1:4545 or [2001:db8::1]:4545\n"
       "6:21: overlay.peers[0].allowed_ips[0]: \"10.0.0.2/24\" has bits set beyond its length; "
       "write 10.0.0.0/24\n"
       "7:17: overlay.peers[0].protocol: \"ipsec\" is not one of: ipop, wireguard\n"
       "8:29: overlay.peers[0].persistent_keepalive: \"0\" is not off or a number from 1 to 65535\n"
       "9:13: overlay.peers[0].name: \"" +
           std::string(60, 'n') +
           "…\" is not a name of at most 63 bytes without control characters"},
      {"an endpoint that is no machine's",
       peers("    - public_key: " + kKey +
             "\n      endpoint: 0.0.0.0:1\n      allowed_ips: [10.0.0.2]\n"),
       "5:17: overlay.peers[0].endpoint: \"0.0.0.0:1\" is not the address and port of one machine"},
      {"the same key, name and address", peers(bob + bob),
       "5:14: overlay.peers[1].name: \"bob\" is the name of overlay.peers[0]\n"
       "5:31: overlay.peers[1].public_key is that of overlay.peers[0]\n"
       "5:91: overlay.peers[1].allowed_ips: 10.0.0.2/32 belongs to overlay.peers[0] already"},
      {"this node's address",
       peers("    - {public_key: " + kOtherKey + ", allowed_ips: [10.0.0.1/32]}\n"),
       "4:80: overlay.peers[0].allowed_ips: 10.0.0.1/32 belongs to this node already"},
      {"this node's route",
       network("routes: [10.1.0.0/16]") + "overlay:\n  peers:\n    - {public_key: " + kOtherKey +
           ", allowed_ips: [10.1.0.0/16]}\n",
       "4:80: overlay.peers[0].allowed_ips: 10.1.0.0/16 belongs to this node already"},
      {"a bad first peer does not shift the places of the second",
       peers("    - a\n    - {public_key: " + kKey + ", allowed_ips: [10.0.0.1/32]}\n"),
       "4:7: overlay.peers[0] must be a map of keys\n"
       "5:80: overlay.peers[1].allowed_ips: 10.0.0.1/32 belongs to this node already"},
  };
  check(cases);
}

TEST(Refusal, NamesWhatARelayMayBe) {
  const Refusal cases[] = {
      {"use", kGood + "overlay: {relay: {use: perhaps}}\n",
       "2:24: overlay.relay.use: \"perhaps\" is not one of: true, false, yes, no, on, off"},
      {"serve", kGood + "overlay: {relay: {serve: maybe}}\n",
       "2:26: overlay.relay.serve: \"maybe\" is not one of: auto, true, false, yes, no, on, off"},
      {"limit", kGood + "overlay: {relay: {limit_mbit: -1}}\n",
       "2:31: overlay.relay.limit_mbit: \"-1\" is not a number from 0 to 1000000"},
  };
  check(cases);
}

TEST(Refusal, ConcernsCertificatesThatCannotWork) {
  const Refusal cases[] = {
      {"no certificate", kGood + "trust: {ca: [a.pem]}\n",
       "2:13: trust.ca: needs trust.cert, too\n2:13: trust.ca: needs trust.key, too"},
      {"three CAs", kGood + "trust: {ca: [a, b, c], cert: d, key: e}\n",
       "2:13: trust.ca: at most two CAs, while one replaces the other"},
      {"no CA", kGood + "trust: {cert: d, key: e, crl: f}\n",
       "2:15: trust.cert: for nothing without trust.ca\n"
       "2:23: trust.key: for nothing without trust.ca\n"
       "2:31: trust.crl: for nothing without trust.ca"},
      {"one CA without a list", kGood + "trust: {ca: a.pem}\n",
       "2:13: trust.ca must be a list, such as [one, two]"},
  };
  check(cases);
}

TEST(Refusal, ConcernsKeysNotSupportedYet) {
  const Refusal cases[] = {
      {"mode", kGood + "interface: {mode: ethernet}\n",
       "2:19: interface.mode is not supported yet; leave it out or set it to ip"},
      {"queues", kGood + "wire: {queues: 2}\n",
       "2:16: wire.queues is not supported yet; leave it out or set it to auto"},
  };
  check(cases);
}

// The schema and the readers are two lists of the same keys; this is what holds them together.
TEST(Refusal, ComesForEveryKnownKeyThatGetsAnAbsurdValue) {
  for (const Key& key : known_keys()) {
    if (key.shape != Key::Shape::kValue) continue;
    const std::size_t dot = key.path.rfind('.');
    std::string section(key.path.substr(0, dot));
    const std::string leaf(key.path.substr(dot + 1));
    std::string yaml = "{" + leaf + ": {absurd: [{}]}}";
    if (section == "overlay.peers" || section.starts_with("firewall.")) yaml = "[" + yaml + "]";
    for (std::size_t inner; (inner = section.rfind('.')) != std::string::npos;) {
      yaml = "{" + section.substr(inner + 1) + ": " + yaml + "}";
      section.resize(inner);
    }
    const std::string said = errors_of(section + ": " + yaml + "\n");
    EXPECT_NE(said.find(leaf + (key.supported ? " must be a" : " is not supported yet")),
              std::string::npos)
        << key.path << "\n"
        << said;
    EXPECT_EQ(said.find("unknown key"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace ipop::conf
