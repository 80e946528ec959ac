#include "app/daemon_parts.hpp"

#include <algorithm>
#include <stdexcept>

#include "app/processors.hpp"
#include "engine/port/device_name.hpp"
#include "overlay/handshake/payload.hpp"

namespace ipop::app {

namespace {

// One carries more than a card of most machines with so few processors takes, and leaves the others
// to the programs that have something to say; beyond eight the kernel's side is what limits.
constexpr unsigned kProcessorsEach = 4;
constexpr unsigned kMostByItself = 8;

// A peer with more lcores than we have lanes would have to hand packets from one to another.
constexpr unsigned kLanesTaken = 4;

}  // namespace

unsigned lcores(const conf::Config& config, unsigned processors) {
  if (config.engine.lcores != 0) return config.engine.lcores;
  if (config.engine.cpus.size() > 1) return static_cast<unsigned>(config.engine.cpus.size());
  // Not every DPDK port has more than one queue: whoever wants more says so.
  if (config.wire.backend == conf::WireBackend::kDpdk) return 1;
  return std::clamp(processors / kProcessorsEach, 1u, kMostByItself);
}

unsigned lcores(const conf::Config& config) {
  // Asked once: the overlay thread leaves those of pinned lcores to them.
  static const auto processors = static_cast<unsigned>(usable_processors().size());
  return lcores(config, processors);
}

overlay::Lanes lanes(const conf::Config& config) {
  const unsigned own = lcores(config);
  const unsigned sent = config.engine.lanes == 0 ? own : config.engine.lanes;
  return {.sent = static_cast<std::uint8_t>(sent),
          .taken = static_cast<std::uint8_t>(std::max({own, sent, kLanesTaken}))};
}

std::vector<Prefix> inner_addresses(const conf::Config& config) {
  std::vector<Prefix> addresses{config.network.address};
  if (config.network.address6) addresses.push_back(*config.network.address6);
  return addresses;
}

kni::HostLinkSettings link_settings(const conf::Config& config) {
  return {.name = config.interface.name,
          .mtu = config.interface.mtu.value_or(kAutoMtu),
          .queues = lcores(config),
          .addresses = inner_addresses(config)};
}

namespace {

// As engine::make_aead_engine() takes it.
const char* aead_name(conf::AeadChoice choice) {
  switch (choice) {
    case conf::AeadChoice::kAvx512:
      return "avx512";
    case conf::AeadChoice::kVaes256:
      return "vaes256";
    case conf::AeadChoice::kAvx2:
      return "avx2";
    case conf::AeadChoice::kIpsecMb:
      return "ipsec-mb";
    case conf::AeadChoice::kLibsodium:
      return "libsodium";
    case conf::AeadChoice::kAuto:
      break;
  }
  return nullptr;
}

}  // namespace

engine::EngineSettings engine_settings(const conf::Config& config) {
  engine::EngineSettings settings{.poll = config.engine.poll,
                                  .hugepages = config.engine.hugepages,
                                  .memory_mb = config.engine.memory_mb,
                                  .aead = aead_name(config.engine.aead)};
  settings.cpus = config.engine.cpus;
  // Rings of one slot less than a power of two suit the pools best.
  const unsigned count = lcores(config);
  settings.pool.packets = (settings.pool.packets + 1) * count - 1;
  settings.supers.packets = (settings.supers.packets + 1) * count - 1;
  settings.pool.largest_packet =
      std::max<std::uint32_t>(settings.pool.largest_packet, link_settings(config).mtu);
  if (config.wire.backend == conf::WireBackend::kDpdk) {
    settings.pool.largest_packet =
        std::max<std::uint32_t>(settings.pool.largest_packet, config.wire.mtu);
    const std::string name = engine::device_name(config.wire.device);
    if (engine::is_pci_address(name)) settings.pci_device = name;
  }
  return settings;
}

engine::UdpSettings wire_settings(const conf::Config& config) {
  return {.listen = config.overlay.listen,
          .allow_missing_family = config.overlay.listen.size() > 1,
          .shares_port = lcores(config) > 1,
          .lane_ports = lanes(config).sent - 1u};
}

overlay::OpenDhtConfig directory_settings(const conf::Config& config,
                                          const std::vector<Endpoint>& bound) {
  const auto has = [&](bool v4) {
    return std::ranges::any_of(
        bound, [&](const Endpoint& endpoint) { return endpoint.address.is_v4() == v4; });
  };
  return {.network = config.overlay.dht_network,
          .ipv4 = has(true),
          .ipv6 = has(false),
          .bootstrap = config.overlay.bootstrap,
          .node_cache = config.paths.state / "dht_nodes"};
}

std::expected<std::uint16_t, std::string> port_to_map(const conf::Config& config,
                                                      const std::vector<Endpoint>& bound) {
  if (!config.overlay.port_mapping) return std::unexpected("off by overlay.port_mapping");
  if (config.wire.backend == conf::WireBackend::kDpdk) {
    return std::unexpected("routers are asked through the kernel, which does not have the wire");
  }
  const auto v4 = std::ranges::find_if(
      bound, [](const Endpoint& endpoint) { return endpoint.address.is_v4(); });
  if (v4 == bound.end()) return std::unexpected("overlay.listen has no IPv4 address");
  if (v4->address.is_loopback()) return std::unexpected("overlay.listen is this machine alone");
  return v4->port;
}

std::vector<overlay::StaticPeer> static_peers(const conf::Config& config) {
  std::vector<overlay::StaticPeer> peers;
  for (const conf::StaticPeer& from : config.overlay.peers) {
    peers.push_back({.name = from.name,
                     .key = from.public_key,
                     .endpoint = from.endpoint,
                     .allowed_ips = from.allowed_ips,
                     .form = from.protocol == conf::PeerProtocol::kIpop
                                 ? overlay::handshake::Form::kIpop
                                 : overlay::handshake::Form::kWireGuard,
                     .preshared_key = from.preshared_key,
                     .persistent_keepalive = std::chrono::seconds(from.persistent_keepalive_s)});
  }
  return peers;
}

overlay::RelaySettings relay_settings(const conf::Config& config) {
  const conf::Relay& from = config.overlay.relay;
  using overlay::RelayServe;
  return {.use = from.use,
          .serve = from.serve == conf::RelayServe::kYes  ? RelayServe::kYes
                   : from.serve == conf::RelayServe::kNo ? RelayServe::kNo
                                                         : RelayServe::kAuto,
          .limit_bits_per_s = std::uint64_t{from.limit_mbit} * 1'000'000};
}

overlay::GuessingEffort guessing_effort(const conf::Config& config) {
  using overlay::GuessingEffort;
  switch (config.overlay.port_guessing) {
    case conf::PortGuessing::kNo:
      return GuessingEffort::kNone;
    case conf::PortGuessing::kYes:
      return GuessingEffort::kGentle;
    case conf::PortGuessing::kThorough:
      return GuessingEffort::kThorough;
  }
  return GuessingEffort::kNone;
}

std::uint8_t suites(const conf::Config& config, std::uint8_t available) {
  using overlay::handshake::suite_bit;
  std::uint8_t wanted = available;
  if (config.engine.cipher == conf::CipherChoice::kAes256Gcm) {
    wanted = suite_bit(engine::AeadSuite::kAes256Gcm);
  } else if (config.engine.cipher == conf::CipherChoice::kChaCha20Poly1305) {
    wanted = suite_bit(engine::AeadSuite::kChaCha20Poly1305);
  }
  if ((wanted & available) != wanted) {
    throw std::runtime_error("engine.cipher: this processor lacks the instructions for it");
  }
  return wanted;
}

}  // namespace ipop::app
