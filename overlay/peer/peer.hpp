// All that the overlay keeps of one peer: who it is, its sessions, where it may be reached, and how
// it answers. Plain state; the files beside this one are the verbs. Overlay thread only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "engine/api/types.hpp"
#include "overlay/directory/node_record.hpp"
#include "overlay/handshake/cookie.hpp"
#include "overlay/handshake/noise.hpp"
#include "overlay/peer/probe_budget.hpp"
#include "overlay/peer/transfer.hpp"
#include "overlay/peer/trials.hpp"
#include "overlay/peer/trust_message.hpp"
#include "overlay/trust/credential.hpp"
#include "overlay/trust/x509/authorities.hpp"

namespace ipop::overlay {

// A session that the engine has. The initiator may send at once; the responder only after the
// initiator's first datagram proved that it holds the keys (`confirmed`).
struct Session {
  engine::ReceiverIndex local = engine::kNoReceiver;
  bool initiator = false;
  bool confirmed = false;
  engine::AeadSuite suite = engine::AeadSuite::kChaCha20Poly1305;
  Instant created{};
  CredentialDigest credential{};   // what the peer says its credential is (IPOP form)
  bool admits_us = false;          // what the peer said in the handshake (kAdmitsReceiver)
  bool partial_checksums = false;  // and whether it takes them (kTakesPartialChecksums)
  bool relays = false;             // and whether it relays (kRelays)
  std::uint8_t send_lanes = 1;     // that both ends agreed on, either way
  std::uint8_t receive_lanes = 1;
};

// An initiation that has no response yet.
struct Attempt {
  handshake::InitiatorState state;
  engine::ReceiverIndex local = engine::kNoReceiver;
  Instant sent{};
};

// What is known of a peer from the configuration file.
struct StaticPeer {
  std::string name;
  ExchangePublicKey key{};
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  handshake::Form form = handshake::Form::kIpop;
  std::optional<Secret<32>> preshared_key;
  Duration persistent_keepalive{};  // zero = off

  friend bool operator==(const StaticPeer&, const StaticPeer&) = default;
};

// A handshake in progress: from the first initiation to success or giving up.
struct Connecting {
  Instant since{};
  Instant next_attempt{};
  Instant last_attempt{};
  unsigned attempts = 0;
  bool told_host = false;  // staged packets were rejected; the handshake goes on
};

// What pings and traffic say about the path in use.
struct Liveness {
  // When the last pings were sent, by their sequence number: what a peer says of it is its own
  // word.
  static constexpr std::size_t kPings = 64;
  std::array<Instant, kPings> pings{};
  std::uint32_t sequence = 0;         // of the last ping
  std::optional<Instant> ping_sent;   // the last one on the path in use
  std::optional<Duration> rtt;        // smoothed (RFC 6298: 7/8 old, 1/8 new)
  std::optional<Instant> unanswered;  // since when we send data and hear nothing
  std::optional<Instant> keepalive_due;
  unsigned pings_unanswered = 0;
  bool in_doubt = false;  // one of these should have been answered by now
};

// Of guessing ports of this peer's NAT, with it (PortGuessing).
struct Guessing {
  Instant begun{};      // the last run; epoch = never
  IpAddress target;     // of that run
  Instant next{};       // not before
  Instant looked{};     // whether the peer is elsewhere now
  unsigned runs = 0;    // in vain, in a row
  std::string outcome;  // of the last run, for people
};

// Of lanes with UDP ports of their own (LaneProber).
struct LaneProbing {
  engine::LanePorts in_use;  // what the engine was told
  Endpoint path;             // which ours were found out for
  std::uint32_t token = 0;   // of the round in progress, or of the last one
  std::uint32_t wanted = 0;  // lanes that it asks about, a bit each; 0 = no round is in progress
  std::uint32_t heard = 0;   // of these
  unsigned tries = 0;        // in this round
  Instant next{};            // of them, or of rounds
  // When to have a new session: which lcore opens for a lane is settled by a session's first
  // datagrams, and these had come by another port.
  std::optional<Instant> renew;
};

// Of its certificate, where certificates count (Admission).
struct PeerTrust {
  std::optional<x509::Standing> standing;  // judged to be good, for the credential it has now
  std::optional<x509::Passport> passport;  // the last that it has shown
  ContentDigest shown{};                   // of that one
  std::optional<ContentDigest> announced;  // that it says is its own; zero = it has none
  std::optional<Transfer> transfer;        // of that one, in progress
  std::optional<x509::Refusal> refusal;    // the last judgement
  Instant judged{};                        // when that was
  Instant names_told{};                    // the judgement after which its names were passed on
  Instant greeted{};                       // when we last said what we have
  Instant answered{};                      // when we last sent what it asked for
  std::optional<Instant> waiting_since;    // for its word of a certificate, in this session
  std::optional<Instant> cut_at;           // when its sessions end
  std::vector<message::ListOffer> offers;  // of lists, named before it was let in
  unsigned hellos_left = 0;                // until it says that it has our revocation lists
  std::optional<Instant> lied;             // when it offered one that no CA of ours signed
};

// Who it is, as far as it was proved: what a rule of the firewall may go by.
struct ProvenNames {
  std::vector<std::string> names;   // its certificate's, or that of its key in the configuration
  std::string node_id;              // hexadecimal; empty: a plain WireGuard peer has none
  std::vector<std::string> groups;  // its certificate's
};

struct Peer {
  Peer(engine::PeerIndex slot, handshake::Form peer_form, const ExchangePublicKey& exchange_key,
       const Secret<32>& network_mac)
      : index(slot),
        form(peer_form),
        key(exchange_key),
        macs(peer_form, exchange_key, network_mac) {}

  const engine::PeerIndex index;
  const handshake::Form form;
  const ExchangePublicKey key;
  handshake::MacWriter macs;
  Secret<32> psk;
  std::optional<StaticPeer> configured;

  // Known once a credential was verified to be this key's.
  std::optional<Credential> credential;
  bool authorised = false;             // its addresses are routes: its host packets pass
  bool admits_us = false;              // our host packets pass at its end
  Instant next_greeting{};             // when to ask or offer again, until both are true
  std::vector<Prefix> routes;          // those it has in the forwarding table, masked
  std::optional<std::string> refused;  // why it may not talk, or why it refuses to
  Instant refused_at{};

  PeerTrust trust;

  std::vector<Session> sessions;  // oldest first
  engine::ReceiverIndex current = engine::kNoReceiver;
  std::vector<Attempt> attempts;
  std::optional<Connecting> connecting;
  handshake::Timestamp greatest_timestamp{};
  std::optional<Instant> last_initiation;  // received

  std::vector<Candidate> candidates;
  NatMapping nat = NatMapping::kUnknown;  // how it looks from outside, as it says
  std::vector<RelayHint> relay_hints;     // that it says it can be reached through
  std::vector<Endpoint> relayed;          // it, through circuits that are open
  Instant next_relay_try{};               // when to ask relays for another circuit
  bool relays = false;                    // what it said in its last handshake
  bool kept = false;                      // a relay of ours: its session is renewed without traffic
  Instant called_as_relay{};
  std::optional<Instant> lost_as_relay;  // when it stopped answering
  Instant shunned_until{};               // it said that it relays, and then did not
  Instant searched_for{};                // an address that it asked us for was looked up
  Instant standby_pinged{};              // the circuits that are not in use
  Trials trials;
  std::uint64_t record_sequence = 0;
  std::optional<Endpoint> path;
  std::optional<Endpoint> observed;  // us, as the peer sees us
  Instant moved_at{};                // when we took the path in use
  std::uint16_t path_mtu = 0;
  Instant next_probe{};
  unsigned probe_rounds = 0;  // of this attempt that are still to come
  Instant probes_planned{};
  ProbeBudget probe_budget;
  Instant next_upgrade{};  // relayed: when both ends try all direct endpoints again
  unsigned upgrades = 0;   // tried so far
  Guessing guessing;
  std::optional<Instant> challenged;  // pinged because somebody else claims its address
  Instant control_second{};           // the second that control_count counts in
  unsigned control_count = 0;
  std::optional<Instant> last_rendezvous;
  Liveness liveness;
  LaneProbing lanes;
  Instant last_heard{};         // anything authentic
  WallTime remembered_heard{};  // the same, of an earlier run
  Instant created{};
  Instant serviced{};              // when what is due for it was last done
  std::vector<IpAddress> waiting;  // inner addresses with packets staged for this peer

  [[nodiscard]] bool connected() const noexcept { return current != engine::kNoReceiver; }
  // Its path leads through a relay.
  [[nodiscard]] bool is_relayed() const noexcept { return path && path->label != 0; }
  [[nodiscard]] std::optional<NodeId> node_id() const {
    if (!credential) return std::nullopt;
    return credential->node_id();
  }
  [[nodiscard]] Session* session(engine::ReceiverIndex local) noexcept {
    for (Session& session : sessions) {
      if (session.local == local) return &session;
    }
    return nullptr;
  }
  [[nodiscard]] ProvenNames proven_names() const;
  // For logs and status: "bob (5f3a01c2)", or what is known instead.
  [[nodiscard]] std::string display() const;
};

}  // namespace ipop::overlay
