// The words that overlay and engine share. Values; no DPDK types (this folder is the seam).
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/secret.hpp"

namespace ipop::engine {

// A peer's slot in the forwarding table; reused after `remove_peer`, so never kept beyond it.
enum class PeerIndex : std::uint32_t {};
inline constexpr PeerIndex kNoPeer{0xffffffff};

// What a peer writes on datagrams for one of our sessions: slot and generation of that session
// (WireGuard's receiver index, WireGuard paper §5.4.2). Zero is never handed out.
enum class ReceiverIndex : std::uint32_t {};
inline constexpr ReceiverIndex kNoReceiver{0};

// What others write on datagrams that we relay, or that are relayed to us: slot and generation of
// a label of ours. Zero is never handed out.
enum class RelayLabel : std::uint32_t {};
inline constexpr RelayLabel kNoLabel{0};

// The AEAD of data datagrams. The values are those of the handshake payload.
enum class AeadSuite : std::uint8_t { kChaCha20Poly1305 = 0, kAes256Gcm = 1 };

// What may travel inside a session, and how its plaintext is padded.
enum class SessionForm : std::uint8_t {
  kIpop,       // IP packets, control messages (first byte 0x10-0x1f), keepalives
  kWireGuard,  // IP packets padded to 16 bytes, keepalives
};

// Reads "0x…" names in logs and status: "aes-256-gcm", "chacha20-poly1305".
[[nodiscard]] constexpr const char* name(AeadSuite suite) noexcept {
  return suite == AeadSuite::kAes256Gcm ? "aes-256-gcm" : "chacha20-poly1305";
}

// Lanes of a session, at most: what lcores share the work for one peer by. A lane's number is the
// uppermost byte of its counters.
inline constexpr std::uint8_t kMaxLanes = 32;

// Which lanes of a peer's sessions go by UDP ports of their own, a bit each; never lane 0.
struct LanePorts {
  std::uint32_t ours = 0;    // that we send by
  std::uint32_t theirs = 0;  // that the peer does: where those come from is not where it is
  friend bool operator==(const LanePorts&, const LanePorts&) = default;
};

// What Endpoint::socket says of the port that lane `lane`, not 0, has for itself, where the wire
// has such ports. They are for sending; nobody is heard by them.
inline constexpr std::uint16_t kLaneSockets = 0x8000;
[[nodiscard]] constexpr std::uint16_t lane_socket(unsigned lane) noexcept {
  return static_cast<std::uint16_t>(kLaneSockets + lane);
}

// All that a lcore needs to open and seal for one session. Published once, never changed.
struct SessionSpec {
  PeerIndex peer = kNoPeer;
  ReceiverIndex local = kNoReceiver;  // from reserve_session()
  std::uint32_t remote = 0;           // the peer's receiver index, written on what we send
  SessionForm form = SessionForm::kIpop;
  AeadSuite suite = AeadSuite::kChaCha20Poly1305;
  // The peer takes packets whose transport checksum is the pseudo-header's sum alone, if their
  // version nibble says so (5 for IPv4, 7 for IPv6).
  bool partial_checksums = false;
  // Lanes that the peer opens for, and that we do; 1 to kMaxLanes. WireGuard knows of none: 1.
  std::uint8_t send_lanes = 1;
  std::uint8_t receive_lanes = 1;
  Secret<32> send_key;
  Secret<32> receive_key;
  Instant send_until{};     // the engine seals nothing with it from then on
  Instant receive_until{};  // the engine opens nothing with it from then on
};

// Where datagrams for a peer go: straight to an endpoint, or to a relay's with the label that it
// knows the peer by. `mtu` is the largest datagram that the path carries, without a relay's header.
struct Path {
  Endpoint remote;
  std::uint16_t mtu = 1420;
};

// What becomes of datagrams that carry one of our labels. Both peers must be reached directly:
// nothing is passed from or to one who is behind a relay itself.
struct LabelSpec {
  PeerIndex from = kNoPeer;  // who may use it, from where its path leads and nowhere else
  PeerIndex to = kNoPeer;    // who gets it next; kNoPeer: it ends here
  // What is written on it for `to`. If it ends here: on what is sent back to `from`.
  std::uint32_t label = 0;
};

// What was passed on by a label, or taken.
struct LabelActivity {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // of the datagrams without their relay header
  Instant last{};           // epoch = never
};

// What lcores know of a session, for the overlay's timers. Each field has one writer, a lcore; a
// snapshot may mix a burst's old and new fields.
struct SessionActivity {
  std::uint64_t tx_packets = 0;  // sealed, of all kinds; also how far its nonces have got
  std::uint64_t rx_packets = 0;  // opened and not replayed, of all kinds
  Instant last_data_tx{};        // host packets; epoch = never
  Instant last_tx{};             // anything, keepalives and control messages included
  Instant last_data_rx{};
  Instant last_rx{};
};

// Host packets of a peer over all its sessions, since add_peer().
struct PeerCounters {
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;  // of inner packets
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
};

}  // namespace ipop::engine
