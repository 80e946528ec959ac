// What the daemon says of itself: the content of `ipop status --json`, as plain values. Filled by
// the overlay thread, read by whoever holds the copy. An unknown number is absent and an unknown
// text empty: nothing here is guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "engine/api/fate.hpp"
#include "engine/api/wire_event.hpp"

namespace ipop::overlay {

enum class PeerState : std::uint8_t {
  kIdle,        // known, and nobody wants to talk
  kConnecting,  // being looked up, or a handshake is under way
  kConnected,   // there is a session
  kRefused,     // it refuses us or we refuse it: `why` tells
};

enum class PathKind : std::uint8_t { kNone, kLan, kDirect, kRelay };

// The words of the JSON form: "connected", "lan".
[[nodiscard]] const char* name(PeerState state) noexcept;
[[nodiscard]] const char* name(PathKind path) noexcept;

// An endpoint where a peer was, or might have been, looked for.
struct CandidateStatus {
  std::string endpoint;
  std::string kind;     // "lan", "routed", "mapped"; "configured"; "observed" = it came from there
  std::string outcome;  // "in use", "no answer to 4 datagrams", "not tried", "answered 3 s ago"
};

struct PeerStatus {
  std::string node_id;                 // hexadecimal; empty: a plain WireGuard peer has none
  std::string hostname;                // or the name of a static peer in the configuration
  std::vector<std::string> addresses;  // inner, "192.168.10.20" or "10.1.0.0/16"
  PeerState state = PeerState::kIdle;
  PathKind path = PathKind::kNone;
  std::string why;                     // one sentence: why this state, or why this path
  std::string endpoint;                // "192.0.2.1:4545"
  std::vector<std::string> relay_via;  // names of relays, the nearest first
  std::optional<double> rtt_ms;
  std::optional<std::uint16_t> mtu;  // of inner packets, bytes
  std::string cipher;                // "aes-256-gcm"
  // Of the session, what we send by; and those that have UDP ports of their own.
  unsigned lanes = 1;
  unsigned lane_ports = 0;
  std::optional<std::uint64_t> handshake_age_s;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_packets = 0;
  std::string protocol = "ipop";  // or "wireguard"
  std::vector<CandidateStatus> candidates;
};

struct InterfaceStatus {
  std::string name;
  std::uint16_t mtu = 0;
};

// A STUN server that we ask.
struct StunServerStatus {
  std::string endpoint;
  std::string mapped;  // where it sees us; empty: it does not answer
  std::optional<double> rtt_ms;
};

// What the router forwards to us by request.
struct PortMappingStatus {
  std::string protocol;                    // "nat-pmp", "upnp"; empty: nothing is mapped
  std::string outside;                     // "203.0.113.9:4545"
  std::optional<std::uint64_t> expires_s;  // if it is not renewed; absent: it has no end
  std::string why;                         // nothing is mapped, or it is of no use to others
};

struct NatStatus {
  std::string kind = "unknown";  // IPv4's where anything is known of it, else IPv6's
  std::string ipv4 = "unknown";  // how NATs map us (NatMapping)
  std::string ipv6 = "unknown";
  std::string filtering = "unknown";  // what IPv4's NAT lets in (NatFiltering)
  std::vector<std::string> mapped;    // endpoints that a gateway forwards to us
  std::vector<StunServerStatus> servers;
  PortMappingStatus port_mapping;
};

// What relays are to us, and we to others.
struct RelayStatus {
  bool serves = false;
  std::vector<std::string> homes;  // names of the relays that others can reach us through
  std::uint64_t circuits = 0;      // that we relay for others now
  std::uint64_t packets = 0;       // passed on since the start
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;  // of others, that we keep in the directory
};

struct DhtStatus {
  bool connected = false;
  std::uint64_t nodes = 0;  // good ones in the routing table
};

struct EngineStatus {
  std::uint32_t lcores = 0;
  std::string poll;  // "adaptive" or "busy"
  std::string wire;  // "socket", or the driver of the card: "net_ena"
  std::string aead;  // "vaes256", "ipsec-mb (avx2)"
  engine::EngineCounters counters;
  engine::WireEvents wire_events{};
};

struct FirewallRuleStatus {
  std::string direction;  // "inbound" or "outbound"
  std::string name;       // from the configuration, often empty
  std::string rule;       // "allow tcp 22 from group admin"; "deny by default" for the last
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct FirewallStatus {
  bool on = false;
  std::uint64_t flows = 0;
  std::uint64_t max_flows = 0;
  // In the order in which they are asked, the defaults at the end of each direction.
  std::vector<FirewallRuleStatus> rules;
};

// What the process can still do to its machine, of all threads together.
struct HardeningStatus {
  std::vector<std::string> capabilities;  // "net_admin"
  bool no_new_privileges = false;
  bool system_calls_filtered = false;
  bool memory_readable = true;  // by debuggers of its user, and dumped when it crashes
};

struct Status {
  std::string version;
  std::string node_id;
  std::string public_key;  // X25519, base64
  std::string network;
  std::string hostname;
  std::vector<std::string> addresses;  // "192.168.10.10/24"
  InterfaceStatus interface;
  std::uint64_t uptime_s = 0;
  NatStatus nat;
  RelayStatus relay;
  DhtStatus dht;
  EngineStatus engine;
  FirewallStatus firewall;
  HardeningStatus hardening;
  std::vector<std::string> warnings;  // sentences a user should act on
  std::vector<PeerStatus> peers;
};

// The one peer that `who` names: an inner address, a hostname (case does not matter), or the first
// digits of a node id. Fails if there is none, or several. The pointer is into `peers`.
[[nodiscard]] Result<const PeerStatus*> find_peer(const std::vector<PeerStatus>& peers,
                                                  std::string_view who);

}  // namespace ipop::overlay
