#include "tests/sim/sim_engine.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "engine/path/relay_header.hpp"

namespace ipop::sim {
namespace {

constexpr std::size_t kHeader = 16;
constexpr std::size_t kTag = 16;
constexpr std::size_t kPacketSize = 1 + 16 + 16 + 4;

std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) {
  std::array<std::uint8_t, 12> nonce{};
  store_le<std::uint64_t>(&nonce[4], counter);
  return nonce;
}

std::vector<std::uint8_t> encode(const HostPacket& packet) {
  std::vector<std::uint8_t> bytes(kPacketSize);
  ByteWriter writer(bytes);
  writer.u8(0x45);
  writer.bytes(packet.source.bytes());
  writer.bytes(packet.destination.bytes());
  writer.le(packet.number);
  return bytes;
}

HostPacket decode(ByteView bytes) {
  ByteReader reader(bytes.subspan(1));
  IpAddress::Bytes source{};
  IpAddress::Bytes destination{};
  reader.copy(source);
  reader.copy(destination);
  return {IpAddress(source), IpAddress(destination), reader.le<std::uint32_t>()};
}

}  // namespace

SimEngine::SimEngine(const Instant& now, Send send, TakePunt punt)
    : now_(now), send_(std::move(send)), punt_(std::move(punt)) {}

std::optional<engine::PeerIndex> SimEngine::route(const IpAddress& address) const {
  for (unsigned length = address.bits() + 1; length-- > 0;) {
    const auto found = routes_.find(Prefix{address, static_cast<std::uint8_t>(length)}.masked());
    if (found != routes_.end()) return found->second;
  }
  return std::nullopt;
}

void SimEngine::stage(const HostPacket& packet, engine::PuntKind kind, engine::PeerIndex peer) {
  staged_.push_back(packet);
  punt_({.kind = kind, .peer = peer, .address = packet.destination});
}

void SimEngine::from_host(const HostPacket& packet) {
  const auto peer = route(packet.destination);
  if (!peer) {
    stage(packet, engine::PuntKind::kResolve, engine::kNoPeer);
    return;
  }
  PeerEntry& entry = peers_.at(*peer);
  const auto session = sessions_.find(entry.current);
  if (session == sessions_.end() || !entry.path || now_ >= session->second.spec->send_until) {
    stage(packet, engine::PuntKind::kNeedSession, *peer);
    return;
  }
  session->second.activity.last_data_tx = now_;
  ++entry.counters.tx_packets;
  seal(session->second, encode(packet), entry.path->remote);
}

bool SimEngine::seal(Entry& entry, ByteView plaintext, const Endpoint& to) {
  const engine::SessionSpec& spec = *entry.spec;
  const std::uint64_t counter = entry.activity.tx_packets++;
  entry.activity.last_tx = now_;
  std::vector<std::uint8_t> datagram(kHeader + plaintext.size() + kTag);
  store_le<std::uint32_t>(&datagram[0], 4);
  store_le<std::uint32_t>(&datagram[4], spec.remote);
  store_le<std::uint64_t>(&datagram[8], counter);
  const auto nonce = nonce_of(counter);
  const auto suite = static_cast<std::uint8_t>(spec.suite);  // both ends must mean the same one
  crypto_aead_chacha20poly1305_ietf_encrypt(&datagram[kHeader], nullptr, plaintext.data(),
                                            plaintext.size(), &suite, 1, nullptr, nonce.data(),
                                            spec.send_key.data());
  put_on_wire(to, std::move(datagram));
  return true;
}

void SimEngine::put_on_wire(const Endpoint& to, std::vector<std::uint8_t> datagram) {
  if (to.label != 0) {
    datagram.insert(datagram.begin(), engine::kRelayHeader, 0);
    engine::write_relay_header(datagram.data(), engine::kMostRelays, to.label);
  }
  send_(to.relay(), std::move(datagram));
}

Endpoint SimEngine::direct_path(engine::PeerIndex peer) const {
  const auto at = peers_.find(peer);
  if (at == peers_.end() || !at->second.path || at->second.path->remote.label != 0) return {};
  return at->second.path->remote;
}

void SimEngine::from_relay(const Endpoint& source, ByteView datagram) {
  const auto at = labels_.find(engine::relay_label(datagram.data()));
  if (at == labels_.end() || !at->second.spec) {
    ++drops[engine::Fate::kDropRelayUnknown];
    return;
  }
  const engine::LabelSpec spec = *at->second.spec;
  const bool ends_here = spec.to == engine::kNoPeer;
  Endpoint to = ends_here ? source : direct_path(spec.to);
  if (direct_path(spec.from) != source) {
    ++drops[engine::Fate::kDropRelayRefused];
  } else if (!ends_here && engine::relays_left(datagram.data()) == 0) {
    ++drops[engine::Fate::kDropRelayLoop];
  } else if (to.port == 0) {
    ++drops[engine::Fate::kDropNoPath];
  } else {
    ++at->second.activity.packets;
    at->second.activity.bytes += datagram.size() - engine::kRelayHeader;
    at->second.activity.last = now_;
    if (ends_here) {
      to.label = spec.label;
      from_wire(to, datagram.subspan(engine::kRelayHeader));
      return;
    }
    std::vector<std::uint8_t> next(datagram.begin(), datagram.end());
    engine::write_relay_header(
        next.data(), static_cast<std::uint8_t>(engine::relays_left(next.data()) - 1), spec.label);
    ++relayed;
    send_(to, std::move(next));
  }
}

void SimEngine::from_wire(const Endpoint& source, ByteView datagram) {
  if (datagram.size() >= engine::kRelayHeader && datagram[0] == engine::kRelayType &&
      source.label == 0) {
    from_relay(source, datagram);
    return;
  }
  if (datagram.size() < 4 || load_le<std::uint32_t>(datagram.data()) != 4) {
    punt_({.kind = engine::PuntKind::kDatagram, .source = source, .bytes = datagram});
    return;
  }
  if (datagram.size() < kHeader + kTag) {
    ++drops[engine::Fate::kDropWireMalformed];
    return;
  }
  const auto entry = sessions_.find(engine::ReceiverIndex{load_le<std::uint32_t>(&datagram[4])});
  if (entry == sessions_.end() || !entry->second.spec) {
    ++drops[engine::Fate::kDropWireUnknownSession];
  } else if (now_ >= entry->second.spec->receive_until) {
    ++drops[engine::Fate::kDropWireExpired];
  } else {
    open(entry->second, source, datagram);
  }
}

void SimEngine::open(Entry& entry, const Endpoint& source, ByteView datagram) {
  const engine::SessionSpec spec = *entry.spec;  // the overlay may retire it below
  const auto counter = load_le<std::uint64_t>(&datagram[8]);
  std::vector<std::uint8_t> plaintext(datagram.size() - kHeader - kTag);
  const auto nonce = nonce_of(counter);
  const auto suite = static_cast<std::uint8_t>(spec.suite);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          plaintext.data(), nullptr, nullptr, &datagram[kHeader], datagram.size() - kHeader, &suite,
          1, nonce.data(), spec.receive_key.data()) != 0) {
    ++drops[engine::Fate::kDropWireForged];
    return;
  }
  ++entry.activity.rx_packets;
  entry.activity.last_rx = now_;
  const bool is_data = !plaintext.empty() && plaintext[0] >> 4 == 4;
  if (is_data) entry.activity.last_data_rx = now_;
  if (!std::exchange(entry.confirmed, true)) {
    PeerEntry& sender = peers_.at(spec.peer);
    if (sender.successor == spec.local) {
      sender.current = std::exchange(sender.successor, engine::kNoReceiver);
    }
    punt_({.kind = engine::PuntKind::kSessionConfirmed,
           .peer = spec.peer,
           .session = spec.local,
           .source = source});
  }
  if (!plaintext.empty() && !is_data) {
    punt_({.kind = engine::PuntKind::kControl,
           .peer = spec.peer,
           .session = spec.local,
           .source = source,
           .bytes = plaintext});
    return;
  }
  const auto peer = peers_.find(spec.peer);
  if (peer == peers_.end()) return;
  if (!peer->second.path || peer->second.path->remote != source) {
    punt_({.kind = engine::PuntKind::kPathChanged,
           .peer = spec.peer,
           .session = spec.local,
           .source = source});
  }
  if (plaintext.empty()) return;
  const HostPacket packet = decode(plaintext);
  if (route(packet.source) != spec.peer) {
    ++drops[engine::Fate::kDropSourceNotAllowed];
    return;
  }
  ++peer->second.counters.rx_packets;
  delivered.push_back(packet);
}

Result<engine::PeerIndex> SimEngine::add_peer() {
  const engine::PeerIndex index{next_peer_++};
  peers_.emplace(index, PeerEntry{});
  return index;
}

void SimEngine::remove_peer(engine::PeerIndex peer) {
  std::erase_if(sessions_, [&](const auto& entry) {
    return entry.second.spec && entry.second.spec->peer == peer;
  });
  std::erase_if(routes_, [&](const auto& entry) { return entry.second == peer; });
  std::erase_if(labels_, [&](const auto& entry) {
    const auto& spec = entry.second.spec;
    return spec && (spec->from == peer || spec->to == peer);
  });
  peers_.erase(peer);
}

Result<engine::ReceiverIndex> SimEngine::reserve_session() {
  if (sessions_.size() >= session_limit) return fail("no room for another session");
  const engine::ReceiverIndex index{next_session_++};
  sessions_.emplace(index, Entry{});
  return index;
}

void SimEngine::publish_session(const engine::SessionSpec& session) {
  sessions_.at(session.local).spec = session;
  last_session = session;
}

void SimEngine::retire_session(engine::ReceiverIndex session) {
  for (auto& [index, peer] : peers_) {
    if (peer.current == session) peer.current = engine::kNoReceiver;
    if (peer.successor == session) peer.successor = engine::kNoReceiver;
  }
  sessions_.erase(session);
}

void SimEngine::use_session(engine::PeerIndex peer, engine::ReceiverIndex session) {
  peers_.at(peer).current = session;
  peers_.at(peer).successor = engine::kNoReceiver;
}

void SimEngine::use_session_once_confirmed(engine::PeerIndex peer, engine::ReceiverIndex session) {
  peers_.at(peer).successor = session;
}

void SimEngine::set_path(engine::PeerIndex peer, const engine::Path& path) {
  peers_.at(peer).path = path;
  peers_.at(peer).lane_ports.ours = 0;
  ++path_changes;
}

void SimEngine::set_lane_ports(engine::PeerIndex peer, const engine::LanePorts& ports) {
  peers_.at(peer).lane_ports = ports;
}

Result<void> SimEngine::add_route(const Prefix& prefix, engine::PeerIndex peer) {
  const auto [entry, added] = routes_.emplace(prefix.masked(), peer);
  if (!added && entry->second != peer) return fail("another peer has " + prefix.to_string());
  return {};
}

void SimEngine::remove_route(const Prefix& prefix, engine::PeerIndex peer) {
  const auto found = routes_.find(prefix.masked());
  if (found != routes_.end() && found->second == peer) routes_.erase(found);
}

Result<engine::RelayLabel> SimEngine::reserve_label() {
  if (labels_.size() >= label_limit) return fail("no room for another label");
  const engine::RelayLabel label{next_label_++};
  labels_.emplace(label, LabelEntry{});
  return label;
}

void SimEngine::set_label(engine::RelayLabel label, const engine::LabelSpec& spec) {
  labels_.at(label).spec = spec;
}

void SimEngine::retire_label(engine::RelayLabel label) {
  labels_.erase(label);
}

engine::LabelActivity SimEngine::label_activity(engine::RelayLabel label) const {
  const auto found = labels_.find(label);
  return found == labels_.end() ? engine::LabelActivity{} : found->second.activity;
}

engine::SessionActivity SimEngine::activity(engine::ReceiverIndex session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? engine::SessionActivity{} : found->second.activity;
}

engine::PeerCounters SimEngine::counters(engine::PeerIndex peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? engine::PeerCounters{} : found->second.counters;
}

bool SimEngine::send_datagram(const Endpoint& to, ByteView bytes) {
  put_on_wire(to, {bytes.begin(), bytes.end()});
  return true;
}

bool SimEngine::send_sealed(engine::ReceiverIndex session, ByteView plaintext,
                            std::optional<Endpoint> via) {
  const auto entry = sessions_.find(session);
  if (entry == sessions_.end() || !entry->second.spec) return false;
  const auto peer = peers_.find(entry->second.spec->peer);
  if (!via && (peer == peers_.end() || !peer->second.path)) return false;
  return seal(entry->second, plaintext, via ? *via : peer->second.path->remote);
}

bool SimEngine::retry_staged() {
  for (const HostPacket& packet : std::exchange(staged_, {}))
    from_host(packet);
  return true;
}

bool SimEngine::reject_staged(const IpAddress& address, engine::RejectReason) {
  const std::size_t before = staged_.size();
  std::erase_if(staged_, [&](const HostPacket& packet) { return packet.destination == address; });
  if (staged_.size() != before) rejected.push_back(address);
  return true;
}

Result<std::uint16_t> SimEngine::open_socket() {
  if (sockets_.size() == kMost) return fail("all in use");
  do {
    next_socket_ = static_cast<std::uint16_t>(next_socket_ % 1000 + 1);
  } while (sockets_.contains(next_socket_));
  sockets_.insert(next_socket_);
  return next_socket_;
}

void SimEngine::close_socket(std::uint16_t socket) {
  sockets_.erase(socket);
}

std::optional<std::uint16_t> SimEngine::socket_at(std::uint16_t port) const {
  if (port == port_of(0)) return std::uint16_t{0};
  const auto socket = static_cast<std::uint16_t>(port - 20000);
  if (!sockets_.contains(socket)) return std::nullopt;
  return socket;
}

}  // namespace ipop::sim
