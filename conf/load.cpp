#include "conf/load.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "base/fd.hpp"
#include "conf/document.hpp"
#include "conf/field.hpp"
#include "conf/hostname.hpp"
#include "conf/schema.hpp"
#include "conf/secret_file.hpp"
#include "conf/validate.hpp"
#include "conf/value.hpp"

namespace ipop::conf {
namespace {

constexpr std::uint16_t kDefaultPort = 4545;
constexpr std::uint32_t kMostLcores = 32;

void read_network(const Section& section, const std::filesystem::path& folder, Network& network) {
  section.require("name");
  section.value("name", network.name, parse_network_name);
  section.value("secret", network.secret, parse_secret);
  std::filesystem::path secret_file;
  section.value_unless_empty("secret_file", secret_file, parse_file_name);
  if (!secret_file.empty() && !network.secret.empty()) {
    section.fail("secret_file", "the secret is given twice, here and by network.secret");
  } else if (!secret_file.empty()) {
    auto secret = read_secret_file(folder / secret_file);
    if (secret) {
      network.secret = std::move(*secret);
    } else {
      section.fail("secret_file", secret.error().message);
    }
  }
  section.require("address");
  section.value("address", network.address, parse_host_v4);
  section.value_unless_empty("address6", network.address6, parse_host_v6);
  network.hostname = machine_hostname();
  section.value_unless_empty("hostname", network.hostname, parse_hostname);
  section.list("routes", network.routes, parse_subnet);
}

void read_interface(const Section& section, Interface& interface) {
  section.value("name", interface.name, parse_interface_name);
  std::uint16_t mtu = 0;
  section.value("mtu", mtu, Number<std::uint16_t>{576, 9000, "auto", 0});
  if (mtu != 0) interface.mtu = mtu;
}

// A relative name starts from the folder of the configuration.
void read_trust(const Section& section, const std::filesystem::path& folder, Trust& trust) {
  section.list("ca", trust.ca, parse_file_name);
  section.value_unless_empty("cert", trust.cert, parse_file_name);
  section.value_unless_empty("key", trust.key, parse_file_name);
  section.value_unless_empty("crl", trust.crl, parse_file_name);
  for (std::filesystem::path& file : trust.ca)
    file = folder / file;
  for (std::filesystem::path* file : {&trust.cert, &trust.key, &trust.crl})
    if (!file->empty()) *file = folder / *file;
}

StaticPeer read_peer(const Section& section) {
  StaticPeer peer;
  section.value("name", peer.name, parse_peer_name);
  section.require("public_key");
  section.value("public_key", peer.public_key, parse_public_key);
  section.value_unless_empty("endpoint", peer.endpoint, parse_endpoint);
  section.require("allowed_ips");
  section.refuse_empty_list("allowed_ips");
  section.list("allowed_ips", peer.allowed_ips, parse_subnet);
  section.value("protocol", peer.protocol,
                Choice<PeerProtocol>{
                    {{"ipop", PeerProtocol::kIpop}, {"wireguard", PeerProtocol::kWireGuard}}});
  section.value_unless_empty("preshared_key", peer.preshared_key, parse_preshared_key);
  section.value("persistent_keepalive", peer.persistent_keepalive_s,
                Number<std::uint16_t>{1, 65535, "off", 0});
  return peer;
}

const Choice<bool> kYesOrNo{
    {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}}};

void read_relay(const Section& section, Relay& relay) {
  section.value("use", relay.use, kYesOrNo);
  section.value("serve", relay.serve,
                Choice<RelayServe>{{{"auto", RelayServe::kAuto},
                                    {"true", RelayServe::kYes},
                                    {"false", RelayServe::kNo},
                                    {"yes", RelayServe::kYes},
                                    {"no", RelayServe::kNo},
                                    {"on", RelayServe::kYes},
                                    {"off", RelayServe::kNo}}});
  section.value("limit_mbit", relay.limit_mbit, Number<std::uint32_t>{0, 1'000'000});
}

void read_overlay(const Section& section, Overlay& overlay) {
  overlay.listen = {{IpAddress::v4(0), kDefaultPort}, {IpAddress(), kDefaultPort}};
  section.refuse_empty_list("listen");
  section.list("listen", overlay.listen, parse_listen);
  section.list("bootstrap", overlay.bootstrap, parse_bootstrap);
  section.list("stun", overlay.stun, parse_stun);
  section.value("lan_discovery", overlay.lan_discovery, kYesOrNo);
  section.value("port_mapping", overlay.port_mapping, kYesOrNo);
  section.value("port_guessing", overlay.port_guessing,
                Choice<PortGuessing>{{{"true", PortGuessing::kYes},
                                      {"false", PortGuessing::kNo},
                                      {"thorough", PortGuessing::kThorough},
                                      {"yes", PortGuessing::kYes},
                                      {"no", PortGuessing::kNo},
                                      {"on", PortGuessing::kYes},
                                      {"off", PortGuessing::kNo}}});
  read_relay(section.section("relay"), overlay.relay);
  section.value("dht_network", overlay.dht_network, Number<std::uint32_t>{0, 0xffffffff});
  for (const Section& peer : section.sections("peers")) {
    overlay.peers.push_back(read_peer(peer));
  }
}

void read_engine(const Section& section, Engine& engine) {
  section.value("lcores", engine.lcores, Number<std::uint32_t>{1, kMostLcores, "auto", 0});
  section.value_or_list("cpus", engine.cpus, Number<std::uint32_t>{0, 1023, "auto", kAnyCpu});
  // The same as nothing.
  if (engine.cpus == std::vector{kAnyCpu}) engine.cpus.clear();
  section.value("lanes", engine.lanes, Number<std::uint32_t>{1, kMostLcores, "auto", 0});
  section.value("poll", engine.poll,
                Choice<PollMode>{{{"adaptive", PollMode::kAdaptive}, {"busy", PollMode::kBusy}}});
  section.value("hugepages", engine.hugepages,
                Choice<Hugepages>{{{"auto", Hugepages::kAuto},
                                   {"never", Hugepages::kNever},
                                   {"require", Hugepages::kRequire}}});
  section.value("memory_mb", engine.memory_mb, Number<std::uint32_t>{64, 65536, "auto", 0});
  section.value("cipher", engine.cipher,
                Choice<CipherChoice>{{{"auto", CipherChoice::kAuto},
                                      {"aes-256-gcm", CipherChoice::kAes256Gcm},
                                      {"chacha20-poly1305", CipherChoice::kChaCha20Poly1305}}});
  section.value("aead", engine.aead,
                Choice<AeadChoice>{{{"auto", AeadChoice::kAuto},
                                    {"avx512", AeadChoice::kAvx512},
                                    {"vaes256", AeadChoice::kVaes256},
                                    {"avx2", AeadChoice::kAvx2},
                                    {"ipsec-mb", AeadChoice::kIpsecMb},
                                    {"libsodium", AeadChoice::kLibsodium}}});
}

void read_wire(const Section& section, Wire& wire) {
  section.value(
      "backend", wire.backend,
      Choice<WireBackend>{{{"socket", WireBackend::kSocket}, {"dpdk", WireBackend::kDpdk}}});
  section.value_unless_empty("device", wire.device, parse_device);
  section.value_unless_empty("address", wire.address, parse_host_v4);
  section.value_unless_empty("address6", wire.address6, parse_host_v6);
  section.value_unless_empty("gateway", wire.gateway, parse_gateway_v4);
  section.value_unless_empty("gateway6", wire.gateway6, parse_gateway_v6);
  section.value("vlan", wire.vlan, Number<std::uint16_t>{1, 4094, "none", 0});
  section.value("mtu", wire.mtu, Number<std::uint16_t>{1280, 9000, "auto", 1500});
}

void read_log(const Section& section, Log& log) {
  section.value("level", log.level,
                Choice<log::Level>{{{"trace", log::Level::kTrace},
                                    {"debug", log::Level::kDebug},
                                    {"info", log::Level::kInfo},
                                    {"warning", log::Level::kWarning},
                                    {"error", log::Level::kError}}});
  section.value("format", log.format,
                Choice<log::Format>{{{"text", log::Format::kText}, {"json", log::Format::kJson}}});
}

void read_paths(const Section& section, Paths& paths) {
  section.value("state", paths.state, parse_absolute_path);
  section.value("runtime", paths.runtime, parse_absolute_path);
}

void read(const Node& root, const std::filesystem::path& folder, Config& config,
          ErrorList& errors) {
  Positions positions;
  const Section top(root, errors, positions);
  read_network(top.section("network"), folder, config.network);
  read_interface(top.section("interface"), config.interface);
  read_trust(top.section("trust"), folder, config.trust);
  read_overlay(top.section("overlay"), config.overlay);
  read_engine(top.section("engine"), config.engine);
  read_wire(top.section("wire"), config.wire);
  read_firewall(top.section("firewall"), config.firewall);
  read_log(top.section("log"), config.log);
  read_paths(top.section("paths"), config.paths);
  validate(config, positions, errors);
}

// A little more than a configuration may have, at most, so that too much is noticed.
Result<std::string> read_whole(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno("cannot be opened", errno);
  std::string text;
  std::array<char, 16384> chunk;
  while (text.size() <= kMostBytes) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot be read", errno);
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Loaded load_file(const std::filesystem::path& file) {
  const auto text = read_whole(file);
  if (!text) {
    return std::unexpected(std::vector<ConfigError>{{file.string(), 0, 0, text.error().message}});
  }
  return load_text(*text, file);
}

Loaded load_text(std::string_view text, const std::filesystem::path& file_name) {
  ErrorList errors(file_name.string());
  Config config;
  const auto root = parse_document(text, errors);
  if (root) check_keys(*root, errors);
  // A file that is not a map has no keys that could be missed.
  if (root && (root->kind == Node::Kind::kMap || root->kind == Node::Kind::kNull)) {
    read(*root, file_name.parent_path(), config, errors);
  }
  if (!errors.empty()) return std::unexpected(errors.take());
  return config;
}

}  // namespace ipop::conf
