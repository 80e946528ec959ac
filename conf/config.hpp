// The configuration as plain values, checked and complete: what conf/load.hpp makes of the YAML
// file. Only keys whose feature exists stand here; conf/example.yaml explains each.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "conf/firewall.hpp"

namespace ipop::conf {

struct Network {
  std::string name;    // 1 to 128 bytes
  std::string secret;  // from secret or secret_file; empty = the name is the secret
  Prefix address;      // 192.168.10.10/24
  std::optional<Prefix> address6;
  std::string hostname;        // at most 63 bytes of [A-Za-z0-9-_.], never empty
  std::vector<Prefix> routes;  // at most 16 subnets behind this node, no host bits set
};

struct Interface {
  std::string name = "tapipop";      // at most 15 bytes
  std::optional<std::uint16_t> mtu;  // nothing = auto; 576 (1280 with address6) to 9000
};

enum class PeerProtocol { kIpop, kWireGuard };

struct StaticPeer {
  std::string name;
  std::array<std::uint8_t, 32> public_key{};  // X25519, base64 in the file
  std::optional<Endpoint> endpoint;           // without one it must call first
  std::vector<Prefix> allowed_ips;
  PeerProtocol protocol = PeerProtocol::kIpop;
  std::optional<Secret<32>> preshared_key;
  std::uint16_t persistent_keepalive_s = 0;  // 0 = off

  friend bool operator==(const StaticPeer&, const StaticPeer&) = default;
};

// Membership by certificates. Empty: whoever knows the network is a member. Otherwise `cert` and
// `key` are there, too.
struct Trust {
  std::vector<std::filesystem::path> ca;  // one, or two while one replaces the other
  std::filesystem::path cert;
  std::filesystem::path key;
  std::filesystem::path crl;  // nothing = as others tell

  friend bool operator==(const Trust&, const Trust&) = default;
};

struct HostPort {
  std::string host;  // name or address
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

enum class RelayServe { kAuto, kYes, kNo };

struct Relay {
  bool use = true;
  RelayServe serve = RelayServe::kAuto;
  std::uint32_t limit_mbit = 0;  // of all that is relayed; 0 = no limit

  friend bool operator==(const Relay&, const Relay&) = default;
};

enum class PortGuessing { kNo, kYes, kThorough };

struct Overlay {
  std::vector<Endpoint> listen;     // one port; one IPv4 and/or one IPv6
  std::vector<HostPort> bootstrap;  // empty = the public OpenDHT network
  std::vector<HostPort> stun;       // besides the bootstrap nodes
  bool lan_discovery = true;        // members on the same links are found without the hash table
  bool port_mapping = true;         // the router is asked for the port
  PortGuessing port_guessing =
      PortGuessing::kYes;  // of NATs that map each destination to another port
  Relay relay;
  std::uint32_t dht_network = 0;
  std::vector<StaticPeer> peers;
};

enum class PollMode { kAdaptive, kBusy };
enum class Hugepages { kAuto, kNever, kRequire };
enum class CipherChoice { kAuto, kAes256Gcm, kChaCha20Poly1305 };
enum class AeadChoice { kAuto, kAvx512, kVaes256, kAvx2, kIpsecMb, kLibsodium };

inline constexpr std::uint32_t kAnyCpu = UINT32_MAX;

struct Engine {
  std::uint32_t lcores = 0;  // 0 = auto
  // Where lcores run, one after another, as the kernel numbers processors; kAnyCpu, and for those
  // beyond it: wherever the kernel puts them.
  std::vector<std::uint32_t> cpus;
  std::uint32_t lanes = 0;  // that a peer's traffic is spread over; 0 = auto
  PollMode poll = PollMode::kAdaptive;
  Hugepages hugepages = Hugepages::kAuto;
  std::uint32_t memory_mb = 0;  // 0 = auto
  CipherChoice cipher = CipherChoice::kAuto;
  AeadChoice aead = AeadChoice::kAuto;  // whose code computes it
};

enum class WireBackend { kSocket, kDpdk };

struct Wire {
  WireBackend backend = WireBackend::kSocket;
  std::string device;  // a PCI address, or net_…,iface=…; never empty with kDpdk
  // With the length of the link's prefix. Neither: as the kernel's interface of the device has
  // them.
  std::optional<Prefix> address;
  std::optional<Prefix> address6;
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> gateway6;
  std::uint16_t vlan = 0;    // 0 = no tag
  std::uint16_t mtu = 1500;  // bytes of an IP packet

  friend bool operator==(const Wire&, const Wire&) = default;
};

struct Log {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kText;
};

struct Paths {
  std::filesystem::path state = "/var/lib/ipop";
  std::filesystem::path runtime = "/run/ipop";
};

struct Config {
  Network network;
  Interface interface;
  Trust trust;
  Overlay overlay;
  Engine engine;
  Wire wire;
  Firewall firewall;
  Log log;
  Paths paths;
};

}  // namespace ipop::conf
