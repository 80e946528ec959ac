// The overlay: everything that finds peers, proves them, and keeps them reachable. It takes what
// lcores punt and what the directory says, with the time, and writes the forwarding table and
// datagrams to send. It reads no clock, opens no socket and starts no thread: a loop (in the daemon
// or in a simulation) drives it. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/punt.hpp"
#include "overlay/lan/lan_discovery.hpp"
#include "overlay/nat/discovery.hpp"
#include "overlay/peer/address_resolver.hpp"
#include "overlay/peer/admission.hpp"
#include "overlay/peer/announcer.hpp"
#include "overlay/peer/handshaker.hpp"
#include "overlay/peer/known_peers.hpp"
#include "overlay/peer/lane_prober.hpp"
#include "overlay/peer/liveness_monitor.hpp"
#include "overlay/peer/membership.hpp"
#include "overlay/peer/path_chooser.hpp"
#include "overlay/peer/peer_table.hpp"
#include "overlay/peer/ping_service.hpp"
#include "overlay/peer/revocation_spread.hpp"
#include "overlay/peer/territory.hpp"
#include "overlay/port_guessing/port_guessing.hpp"
#include "overlay/port_mapping/port_mapping.hpp"
#include "overlay/relay/circuits.hpp"
#include "overlay/relay/guest_records.hpp"
#include "overlay/relay/record_deposits.hpp"
#include "overlay/relay/relay_keeper.hpp"
#include "overlay/relay/relay_service.hpp"
#include "overlay/status.hpp"
#include "overlay/timer_queue.hpp"

namespace ipop::overlay {

enum class RelayServe : std::uint8_t {
  kAuto,  // if no NAT hides us
  kYes,
  kNo,
};

struct RelaySettings {
  bool use = true;  // ask others to relay, and be reached through them
  RelayServe serve = RelayServe::kAuto;
  std::uint64_t limit_bits_per_s = 0;  // of all that we relay; 0 = none
  friend bool operator==(const RelaySettings&, const RelaySettings&) = default;
};

struct OverlaySettings {
  std::string network_name;
  std::vector<Prefix> subnets;  // the virtual network's, both families: what may be asked for
  std::vector<StaticPeer> static_peers;
  std::filesystem::path known_peers_file;
  std::uint16_t port = 0;  // of the wire
  // Where the wire listens, if not everywhere: 0.0.0.0 and :: mean all addresses of their family.
  std::vector<Endpoint> listen{};
  std::size_t max_peers = 65536;
  RelaySettings relay{};
  GuessingEffort port_guessing =
      GuessingEffort::kGentle;  // where there is no other way to a direct path
  TrustSettings trust{};
  std::filesystem::path revoked_file{};  // where revocation lists are kept; none = nowhere
  // For the host's routing table: a prefix outside `subnets` is reached through a peer, or no
  // longer.
  PeerTable::OnRoute on_route = [](const Prefix&, bool) {};
  // For the firewall: what was proved of a peer, before it has any route and at each change.
  PeerTable::OnNames on_names = [](engine::PeerIndex, const ProvenNames&) {};
};

class Overlay {
 public:
  // `on_fatal`: the node must not go on (another one holds its address); the text is for the user.
  Overlay(Context context, OverlaySettings settings, std::function<void(std::string)> on_fatal);
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // Where this host may be reached: its interfaces' addresses, without the virtual one. Before
  // start(), and at every change.
  void set_local_addresses(std::vector<Prefix> addresses, Now now);
  // Routes or links are others than before, whatever the addresses: what we send may leave by
  // another way, and come from elsewhere.
  void on_network_change(Now now);
  // Who may tell us how we look from outside.
  void set_stun_servers(const std::vector<Endpoint>& servers, Now now);
  // What the router forwards to the wire's port.
  void set_port_mapping(PortMapping mapping, Now now);
  void start(Now now);
  // Says goodbye to peers, withdraws from the directory, remembers peers.
  void stop(Now now);

  // Datagrams of the directory's own protocol are not for us: the loop gives them to it.
  void on_punt(const engine::Punt& punt, Now now);
  // To be called before the directory is given time to call back.
  void set_time(Now now);
  // Does all that is due; `deadline()` is when to call again.
  void service(Now now);
  [[nodiscard]] Instant deadline() const;

  void ping(const IpAddress& address, Now now, PingService::OnResult done);
  void set_static_peers(std::vector<StaticPeer> peers, Now now);
  void set_relay(const RelaySettings& relay, Now now);
  // Before start(): how to reach all others on our links. Without it, nobody is looked for there.
  void set_lan_sender(std::function<void(ByteView)> send);
  // What came from a link.
  void on_lan(ByteView datagram, Now now);
  void set_port_guessing(GuessingEffort effort, Now now);
  // Other CAs or another certificate of ours: everybody is judged again.
  void set_trust(TrustSettings trust, Now now);
  // A revocation list from a file. As Authorities::add().
  [[nodiscard]] Result<bool> add_revocation_list(const x509::RevocationList& list, Now now);

  // Fills what the overlay knows; the engine's and the interface's part are the caller's.
  void describe(Status& status, Now now) const;
  [[nodiscard]] const OverlayCounters& counters() const noexcept { return context_.counters; }
  [[nodiscard]] const PeerTable& peers() const noexcept { return peers_; }
  [[nodiscard]] const Circuits& circuits() const noexcept { return circuits_; }

 private:
  [[nodiscard]] bool resolve(const IpAddress& address, Now now);
  void on_resolve(const IpAddress& address, Now now);
  void on_need_session(Peer& peer, const IpAddress& address, Now now);
  void on_record(const NodeRecord& record, bool invited, Now now);
  // Takes up what a record says; nullptr if it is about nobody whom we could talk to.
  Peer* learn(const NodeRecord& record, Now now);
  void on_unreachable(const IpAddress& address);
  void on_authorised(Peer& peer);
  [[nodiscard]] bool on_lost_address(const LostAddress& lost);
  void warn(std::string text);

  void connect(Peer& peer, Now now, bool with_invitation = true);
  bool invite(Peer& peer, Now now);
  void invite_peers(Now now);
  void ask_directory(Peer& peer, Now now);
  void session_up(Peer& peer, engine::ReceiverIndex session, const Endpoint& source, Now now);
  void service_peer(Peer& peer, Now now);
  void service_connecting(Peer& peer, Now now);
  void schedule(const Peer& peer, Now now);
  void tell_host(Peer& peer, engine::RejectReason reason);
  void set_candidates(Peer& peer, const std::vector<Candidate>& candidates);
  void send_candidates(Peer& peer);
  void announce_candidates(Now now);
  [[nodiscard]] std::vector<Candidate> own_candidates() const;
  [[nodiscard]] std::vector<Endpoint> outside_endpoints() const;
  [[nodiscard]] NatStatus nat_status(Instant now) const;

  // overlay_messages.cpp
  void on_control(const engine::Punt& punt, Peer& peer, Now now);
  [[nodiscard]] bool admit_control(Peer& peer, Now now);

  // overlay_trust.cpp
  void on_revocation_list();
  void review_all();
  void recall_lists();
  void check_own_certificate(Now now);

  // overlay_relays.cpp
  [[nodiscard]] bool has_family(bool v4) const;
  [[nodiscard]] bool listens_at(const IpAddress& address) const;
  [[nodiscard]] bool relays_for_us(const Peer& peer) const;
  void set_reach(Now now);
  [[nodiscard]] Peer* relay_of(const RelayHint& hint, Now now);
  void seek_relays(Peer& peer, Now now);
  void on_relay_open(Peer& from, const message::RelayOpen& open, Now now);
  void on_circuit(const NodeId& remote, const Endpoint& was, const Endpoint& is);
  void take_circuits(Peer& peer);
  void compare_soon(Peer& peer, Now now);
  void service_relayed(Peer& peer, Now now);
  void doubt(Peer& peer, Now now);
  void sweep_circuits(Now now);
  [[nodiscard]] std::optional<Endpoint> best_relayed(const Peer& peer, const Endpoint& was) const;
  [[nodiscard]] bool may_call(const Endpoint& endpoint, Now now);
  [[nodiscard]] std::size_t ways_to(const Peer& peer) const;
  void drop_dead_circuits(const Peer& peer, Instant silent_since);
  void on_wanted_node(engine::PeerIndex asker, const NodeId& node);
  void on_relay_lost(Peer& relay);
  void forget(Peer& peer);
  [[nodiscard]] std::optional<Instant> relay_deadline(const Peer& peer) const;

  // overlay_introductions.cpp
  [[nodiscard]] std::vector<const Peer*> relays_to_ask(bool others) const;
  void ask_relays_for(const std::vector<IpAddress>& addresses, bool others);
  void ask_relays_again(Now now);
  void ask_links_again(Now now);
  void introduce(Peer& to, engine::ReceiverIndex session, const IpAddress& address);
  void on_introduction(Peer& relay, const message::Introduction& introduction, Now now);

  // overlay_port_guessing.cpp
  [[nodiscard]] PortGuessing::Hooks guessing_hooks();
  [[nodiscard]] PortGuessing::Own guessing_self() const;
  [[nodiscard]] std::optional<IpAddress> seen_at(const Peer& peer) const;

  [[nodiscard]] PathKind path_kind(const Endpoint& endpoint) const;
  [[nodiscard]] std::vector<std::string> relay_names(const Endpoint& endpoint) const;
  [[nodiscard]] RelayStatus relay_status() const;

  void add_static(const StaticPeer& configured, Now now);
  void remember_peers(Now now);
  void recall_peers(Now now);

  Context context_;
  OverlaySettings settings_;
  std::function<void(std::string)> on_fatal_;
  Territory territory_;
  PeerTable peers_;
  Handshaker handshaker_;
  LivenessMonitor liveness_;
  PathChooser paths_;
  LaneProber lane_prober_;
  NatDiscovery nat_;
  PortMapping port_mapping_;
  std::optional<Instant> invitations_due_;
  std::vector<Candidate> told_;  // the last that others were told, unless it was nothing
  Admission admission_;
  RevocationSpread revocations_;
  Membership membership_;
  AddressResolver resolver_;
  Announcer announcer_;
  PingService pings_;
  KnownPeers known_peers_;
  RelayService relay_service_;
  Circuits circuits_;
  RelayKeeper relays_;
  GuestRecords guest_records_;
  RecordDeposits deposits_;
  PortGuessing guessing_;
  LanDiscovery lan_;
  struct Want {
    engine::PeerIndex asker = engine::kNoPeer;
    Instant at{};
  };
  std::map<NodeId, Want> wants_;  // nodes that we look for on behalf of others, bounded
  struct Calls {
    unsigned count = 0;
    Instant until{};
  };
  std::map<IpAddress, Calls> calls_;  // of relays that somebody named, bounded
  std::size_t index_of_chain_ = 0;
  Instant next_sweep_{};
  Instant next_question_{};
  std::size_t index_of_question_ = 0;
  unsigned rounds_of_questions_ = 0;
  Instant next_own_check_{};
  TimerQueue<std::uint32_t> timers_;  // by PeerIndex
  std::vector<std::string> warnings_;
  Instant next_save_{};
  bool save_wanted_ = false;
  Instant started_{};
  Instant last_service_{};
  Now now_{};  // of the event being handled, for callbacks
  std::shared_ptr<Overlay*> self_ = std::make_shared<Overlay*>(this);
};

}  // namespace ipop::overlay
