// The engine's seam without an engine: maps instead of tables, function calls instead of rings, so
// that the overlay runs under virtual time. Sealing is real (libsodium), so that keys which do not
// match are noticed; host packets are reduced to addresses and a number.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/api/fate.hpp"
#include "engine/api/forwarding_table.hpp"
#include "engine/api/inject.hpp"
#include "engine/api/punt.hpp"
#include "engine/api/wire_sockets.hpp"

namespace ipop::sim {

struct HostPacket {
  IpAddress source;
  IpAddress destination;
  std::uint32_t number = 0;
  friend bool operator==(const HostPacket&, const HostPacket&) = default;
};

class SimEngine final : public engine::ForwardingTable,
                        public engine::Injector,
                        public engine::WireSockets {
 public:
  using Send = std::function<void(const Endpoint& to, std::vector<std::uint8_t> datagram)>;
  using TakePunt = std::function<void(const engine::Punt&)>;

  SimEngine(const Instant& now, Send send, TakePunt punt);

  // The two sides of the lcore.
  void from_host(const HostPacket& packet);
  void from_wire(const Endpoint& source, ByteView datagram);

  std::vector<HostPacket> delivered;
  std::vector<IpAddress> rejected;  // staged packets that the overlay gave up
  std::map<engine::Fate, unsigned> drops;
  std::size_t session_limit = 1000;
  std::size_t label_limit = 1000;
  std::uint64_t relay_limit = 0;
  unsigned relayed = 0;       // datagrams passed on
  unsigned path_changes = 0;  // of all peers
  [[nodiscard]] std::size_t labels() const noexcept { return labels_.size(); }
  [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }
  engine::SessionSpec last_session;  // that was published
  [[nodiscard]] engine::LanePorts lane_ports(engine::PeerIndex peer) const {
    return peers_.at(peer).lane_ports;
  }
  [[nodiscard]] std::size_t staged() const noexcept { return staged_.size(); }

  // ForwardingTable
  Result<engine::PeerIndex> add_peer() override;
  void remove_peer(engine::PeerIndex peer) override;
  Result<engine::ReceiverIndex> reserve_session() override;
  void publish_session(const engine::SessionSpec& session) override;
  void retire_session(engine::ReceiverIndex session) override;
  void use_session(engine::PeerIndex peer, engine::ReceiverIndex session) override;
  void use_session_once_confirmed(engine::PeerIndex peer, engine::ReceiverIndex session) override;
  void set_path(engine::PeerIndex peer, const engine::Path& path) override;
  void set_lane_ports(engine::PeerIndex peer, const engine::LanePorts& ports) override;
  Result<void> add_route(const Prefix& prefix, engine::PeerIndex peer) override;
  void remove_route(const Prefix& prefix, engine::PeerIndex peer) override;
  Result<engine::RelayLabel> reserve_label() override;
  void set_label(engine::RelayLabel label, const engine::LabelSpec& spec) override;
  void retire_label(engine::RelayLabel label) override;
  engine::LabelActivity label_activity(engine::RelayLabel label) const override;
  void set_relay_limit(std::uint64_t bits_per_s) override { relay_limit = bits_per_s; }
  engine::SessionActivity activity(engine::ReceiverIndex session) const override;
  engine::PeerCounters counters(engine::PeerIndex peer) const override;
  void reclaim() override {}

  // WireSockets
  Result<std::uint16_t> open_socket() override;
  void close_socket(std::uint16_t socket) override;
  static std::uint16_t port_of(std::uint16_t socket) {
    return static_cast<std::uint16_t>(socket == 0 ? 4545 : 20000 + socket);
  }
  [[nodiscard]] unsigned lane_ports() const override { return 3; }
  // Nothing: nobody listens there.
  [[nodiscard]] std::optional<std::uint16_t> socket_at(std::uint16_t port) const;
  [[nodiscard]] std::size_t sockets() const noexcept { return sockets_.size(); }

  // Injector
  bool send_datagram(const Endpoint& to, ByteView bytes) override;
  bool send_sealed(engine::ReceiverIndex session, ByteView plaintext,
                   std::optional<Endpoint> via) override;
  bool retry_staged() override;
  bool reject_staged(const IpAddress& address, engine::RejectReason reason) override;

 private:
  struct Entry {
    std::optional<engine::SessionSpec> spec;
    engine::SessionActivity activity;
    std::uint64_t greatest_received = 0;
    bool confirmed = false;
  };
  struct PeerEntry {
    engine::ReceiverIndex current = engine::kNoReceiver;
    engine::ReceiverIndex successor = engine::kNoReceiver;
    std::optional<engine::Path> path;
    engine::LanePorts lane_ports;
    engine::PeerCounters counters;
  };

  struct LabelEntry {
    std::optional<engine::LabelSpec> spec;
    engine::LabelActivity activity;
  };

  [[nodiscard]] std::optional<engine::PeerIndex> route(const IpAddress& address) const;
  void stage(const HostPacket& packet, engine::PuntKind kind, engine::PeerIndex peer);
  bool seal(Entry& entry, ByteView plaintext, const Endpoint& to);
  void open(Entry& entry, const Endpoint& source, ByteView datagram);
  // With a relay header, if that is where it goes.
  void put_on_wire(const Endpoint& to, std::vector<std::uint8_t> datagram);
  void from_relay(const Endpoint& source, ByteView datagram);
  // Where the peer is, unless it is behind a relay itself.
  [[nodiscard]] Endpoint direct_path(engine::PeerIndex peer) const;

  const Instant& now_;
  Send send_;
  TakePunt punt_;
  std::uint32_t next_peer_ = 1;
  std::uint32_t next_session_ = 1;
  std::uint32_t next_label_ = 1;
  std::map<engine::PeerIndex, PeerEntry> peers_;
  std::map<engine::ReceiverIndex, Entry> sessions_;
  std::map<engine::RelayLabel, LabelEntry> labels_;
  std::map<Prefix, engine::PeerIndex> routes_;
  std::deque<HostPacket> staged_;
  std::set<std::uint16_t> sockets_;
  std::uint16_t next_socket_ = 0;
};

}  // namespace ipop::sim
