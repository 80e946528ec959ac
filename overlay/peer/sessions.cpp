#include "overlay/peer/sessions.hpp"

#include <algorithm>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kUnconfirmedFor = 15s;
constexpr std::size_t kMaxConfirmed = 3;  // the current one and what may still be in flight

Session* current_of(Peer& peer) {
  return peer.session(peer.current);
}

void retire(Context& context, Peer& peer, std::vector<Session>::iterator session) {
  if (session->local == peer.current) peer.current = engine::kNoReceiver;
  context.table.retire_session(session->local);
  peer.sessions.erase(session);
}

// The peer forgot us: host packets sealed with what it had before would be lost.
void retire_all_but(Context& context, Peer& peer, engine::ReceiverIndex kept) {
  for (std::size_t at = peer.sessions.size(); at-- > 0;) {
    if (peer.sessions[at].local == kept) continue;
    retire(context, peer, peer.sessions.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace

engine::SessionActivity activity_of(const Context& context, const Peer& peer) {
  engine::SessionActivity all;
  for (const Session& session : peer.sessions) {
    const engine::SessionActivity one = context.table.activity(session.local);
    all.tx_packets = std::max(all.tx_packets, one.tx_packets);
    all.rx_packets += one.rx_packets;
    all.last_data_tx = std::max(all.last_data_tx, one.last_data_tx);
    all.last_tx = std::max(all.last_tx, one.last_tx);
    all.last_data_rx = std::max(all.last_data_rx, one.last_data_rx);
    all.last_rx = std::max(all.last_rx, one.last_rx);
  }
  return all;
}

void confirm_session(Context& context, Peer& peer, engine::ReceiverIndex local, Instant now) {
  Session* session = peer.session(local);
  if (session == nullptr) return;
  session->confirmed = true;
  peer.last_heard = std::max(peer.last_heard, now);
  const bool admits = session->admits_us;
  const Session* current = current_of(peer);
  if (current != nullptr && current->created > session->created) return;
  peer.current = local;
  peer.relays = session->relays;
  if (!admits && peer.admits_us) retire_all_but(context, peer, local);
  peer.admits_us = admits;
  if (admits) context.table.use_session(peer.index, local);
}

void admitted(Context& context, Peer& peer) {
  peer.admits_us = true;
  if (peer.connected()) context.table.use_session(peer.index, peer.current);
}

void expire_sessions(Context& context, Peer& peer, Instant now) {
  std::size_t confirmed = 0;
  for (auto session = peer.sessions.end(); session != peer.sessions.begin();) {
    --session;
    const Duration age = now - session->created;
    const bool surplus =
        session->confirmed && session->local != peer.current && confirmed >= kMaxConfirmed;
    if (session->confirmed) ++confirmed;
    if (session->local == peer.current && age >= context.timers.send_for())
      peer.current = engine::kNoReceiver;  // it may still receive
    if (surplus || age >= context.timers.reject_after ||
        (!session->confirmed && age >= kUnconfirmedFor)) {
      retire(context, peer, session);
      session = peer.sessions.end();
      confirmed = 0;
    }
  }
}

void retire_all_sessions(Context& context, Peer& peer) {
  while (!peer.sessions.empty())
    retire(context, peer, peer.sessions.begin());
}

bool wants_rekey(const Context& context, const Peer& peer, Instant now) {
  const handshake::Timers& timers = context.timers;
  for (const Session& session : peer.sessions) {
    if (session.local != peer.current) continue;
    const engine::SessionActivity activity = context.table.activity(session.local);
    if (activity.tx_packets >= timers.rekey_after_messages) return true;
    const Instant rekey_at = session.created + timers.rekey_after;
    // WireGuard leaves it to the initiator. But when both ends opened at once, each may use the
    // session that the other initiated: then it has to be somebody, and not both at once.
    const Duration slack = (timers.reject_after - timers.rekey_after) / 4;
    const bool first = context.identity.exchange_key() < peer.key;
    const Duration late = session.initiator ? Duration::zero() : slack * (first ? 1 : 2);
    if (now >= rekey_at + late && (peer.kept || activity.last_data_tx >= rekey_at)) return true;
    if (!session.initiator) return false;
    const Duration early = timers.reject_after - timers.keepalive_timeout - timers.rekey_timeout;
    const Instant receive_rekey_at = session.created + std::max(early, timers.rekey_after);
    return now >= receive_rekey_at && activity.last_data_rx >= receive_rekey_at;
  }
  return false;
}

}  // namespace ipop::overlay
