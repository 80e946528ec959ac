#include "overlay/peer/peer_table.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

template <typename Map, typename Key>
Peer* find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

PeerTable::PeerTable(engine::ForwardingTable& forwarding, const Secret<32>& network_mac,
                     std::size_t limit, OnRoute on_route)
    : forwarding_(forwarding),
      network_mac_(network_mac),
      limit_(limit),
      on_route_(std::move(on_route)) {}

PeerTable::~PeerTable() {
  on_remove_ = [](Peer&) {};  // they are gone already
  while (!peers_.empty())
    remove(*peers_.begin()->second);
}

Result<Peer*> PeerTable::add(handshake::Form form, const ExchangePublicKey& key, Instant now) {
  if (peers_.size() >= limit_ && !evict_one()) return fail("no room for another peer");
  const auto index = forwarding_.add_peer();
  if (!index) return std::unexpected(index.error());
  auto peer = std::make_unique<Peer>(*index, form, key, network_mac_);
  peer->created = now;
  Peer* raw = peer.get();
  peers_.emplace(std::to_underlying(*index), std::move(peer));
  by_key_.emplace(key, raw);
  return raw;
}

bool PeerTable::evict_one() {
  Peer* oldest = nullptr;
  for (const auto& [index, peer] : peers_) {
    if (peer->configured || !peer->sessions.empty() || peer->connecting) continue;
    const auto heard = [](const Peer& of) { return std::max(of.last_heard, of.created); };
    if (oldest == nullptr || heard(*peer) < heard(*oldest)) oldest = peer.get();
  }
  if (oldest == nullptr) return false;
  remove(*oldest);
  return true;
}

void PeerTable::remove(Peer& peer) {
  on_remove_(peer);
  for (const Attempt& attempt : peer.attempts) {
    forwarding_.retire_session(attempt.local);
    by_attempt_.erase(std::to_underlying(attempt.local));
  }
  drop_routes(peer);
  by_key_.erase(peer.key);
  if (const auto id = peer.node_id(); id && find(by_node_, *id) == &peer) by_node_.erase(*id);
  forwarding_.remove_peer(peer.index);
  peers_.erase(std::to_underlying(peer.index));
}

Peer* PeerTable::by_key(const ExchangePublicKey& key) const {
  return find(by_key_, key);
}

Peer* PeerTable::by_index(engine::PeerIndex index) const {
  const auto found = peers_.find(std::to_underlying(index));
  return found == peers_.end() ? nullptr : found->second.get();
}

Peer* PeerTable::by_node(const NodeId& node) const {
  return find(by_node_, node);
}

Peer* PeerTable::by_address(const IpAddress& address) const {
  for (unsigned length = address.bits() + 1; length-- > 0;) {
    const Prefix prefix = Prefix{address, static_cast<std::uint8_t>(length)}.masked();
    if (Peer* peer = find(routes_, prefix)) return peer;
  }
  return nullptr;
}

Peer* PeerTable::holder_of(const Prefix& prefix) const {
  return find(routes_, prefix.masked());
}

Peer* PeerTable::by_attempt(std::uint32_t local_index) const {
  return find(by_attempt_, local_index);
}

void PeerTable::set_credential(Peer& peer, const Credential& credential) {
  peer.credential = credential;
  by_node_[credential.node_id()] = &peer;
}

Result<void> PeerTable::add_route(Peer& peer, const Prefix& prefix) {
  const Prefix masked = prefix.masked();
  if (Peer* holder = find(routes_, masked); holder == &peer) return {};
  const auto added = forwarding_.add_route(masked, peer.index);
  if (added) {
    routes_[masked] = &peer;
    peer.routes.push_back(masked);
    on_route_(masked, true);
  }
  return added;
}

void PeerTable::drop_routes(Peer& peer) {
  for (const Prefix& prefix : peer.routes) {
    forwarding_.remove_route(prefix, peer.index);
    routes_.erase(prefix);
    on_route_(prefix, false);
  }
  peer.routes.clear();
}

void PeerTable::add_attempt(Peer& peer, Attempt attempt) {
  by_attempt_[std::to_underlying(attempt.local)] = &peer;
  peer.attempts.push_back(std::move(attempt));
}

void PeerTable::drop_attempt(Peer& peer, std::uint32_t local_index) {
  by_attempt_.erase(local_index);
  std::erase_if(peer.attempts, [&](const Attempt& attempt) {
    return std::to_underlying(attempt.local) == local_index;
  });
}

void PeerTable::for_each(const std::function<void(Peer&)>& visit) const {
  for (const auto& [index, peer] : peers_)
    visit(*peer);
}

}  // namespace ipop::overlay
