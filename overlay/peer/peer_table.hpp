// All peers, by each of the names they are found under. Bounded. Overlay thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/api/forwarding_table.hpp"
#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

class PeerTable {
 public:
  // A prefix is reached through a peer from now on, or no longer.
  using OnRoute = std::function<void(const Prefix& prefix, bool added)>;

  // `forwarding` must outlive the table. At most `limit` peers.
  PeerTable(
      engine::ForwardingTable& forwarding, const Secret<32>& network_mac, std::size_t limit,
      OnRoute on_route = [](const Prefix&, bool) {});
  ~PeerTable();
  // Who else keeps something of a peer learns here that it is about to go.
  void set_on_remove(std::function<void(Peer&)> on_remove) { on_remove_ = std::move(on_remove); }
  // Others go by what was proved of a peer: called before it has any route, and at each change.
  using OnNames = std::function<void(engine::PeerIndex peer, const ProvenNames& names)>;
  void set_on_names(OnNames on_names) { on_names_ = std::move(on_names); }
  void tell_names(const Peer& peer) const { on_names_(peer.index, peer.proven_names()); }
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  // A new peer, also in the forwarding table. `key` must not be there yet. When the table is full,
  // the peer that was silent for longest gives way, if it has no session and is not configured.
  [[nodiscard]] Result<Peer*> add(handshake::Form form, const ExchangePublicKey& key, Instant now);
  // With its attempts, sessions and routes. Pointers to it end here.
  void remove(Peer& peer);

  // Each returns nullptr if there is none.
  [[nodiscard]] Peer* by_key(const ExchangePublicKey& key) const;
  [[nodiscard]] Peer* by_index(engine::PeerIndex index) const;
  [[nodiscard]] Peer* by_node(const NodeId& node) const;
  // The peer whose route covers the address, host routes first.
  [[nodiscard]] Peer* by_address(const IpAddress& address) const;
  // The peer that has exactly this prefix.
  [[nodiscard]] Peer* holder_of(const Prefix& prefix) const;
  // The peer that waits for a response to a handshake with this receiver index.
  [[nodiscard]] Peer* by_attempt(std::uint32_t local_index) const;

  // Index upkeep, for those who change the fields that these indexes are made of.
  void set_credential(Peer& peer, const Credential& credential);
  [[nodiscard]] Result<void> add_route(Peer& peer, const Prefix& prefix);
  void drop_routes(Peer& peer);
  void add_attempt(Peer& peer, Attempt attempt);
  void drop_attempt(Peer& peer, std::uint32_t local_index);  // releases nothing in the engine

  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }
  // `visit` must neither add nor remove peers.
  void for_each(const std::function<void(Peer&)>& visit) const;

 private:
  [[nodiscard]] bool evict_one();

  engine::ForwardingTable& forwarding_;
  const Secret<32> network_mac_;
  const std::size_t limit_;
  const OnRoute on_route_;
  std::function<void(Peer&)> on_remove_ = [](Peer&) {};
  OnNames on_names_ = [](engine::PeerIndex, const ProvenNames&) {};
  std::unordered_map<std::uint32_t, std::unique_ptr<Peer>> peers_;  // by PeerIndex
  std::map<ExchangePublicKey, Peer*> by_key_;
  std::unordered_map<NodeId, Peer*> by_node_;
  std::map<Prefix, Peer*> routes_;  // masked
  std::unordered_map<std::uint32_t, Peer*> by_attempt_;
};

}  // namespace ipop::overlay
