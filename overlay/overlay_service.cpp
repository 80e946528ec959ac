// What the overlay does because time passes: retries, rekeys, pings, expiry, upkeep of its files.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "overlay/overlay.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSaveInterval = 10s;
constexpr Duration kIdleTick = 500ms;      // when nothing else is due
constexpr Duration kAnxiousTick = 100ms;   // for a peer that has not answered yet
constexpr Duration kBusyTick = 250ms;      // for a peer with traffic
constexpr Duration kQuietTick = 1s;        // for a peer that only has a session
constexpr Duration kTrafficFor = 10s;      // after the last packet
constexpr Duration kTellHostAfter = 3s;    // of a handshake without an answer
constexpr Duration kStrangerFor = 30s;     // a peer that never proved who it is
constexpr Duration kRecallWithin = 24h;    // peers heard that recently are called at start
constexpr unsigned kRecallCalls = 64;      // but not more of them
constexpr Duration kCallAgainAfter = 15s;  // a configured peer that did not answer
constexpr Duration kSilence = 2s;          // after which a peer that should answer counts as silent
constexpr unsigned kAskDirectoryAt = 2;    // initiations without an answer

// Configured peers that we keep calling, although nobody has a packet for them.
bool calls_again(const Peer& peer) {
  return peer.configured && (peer.form == handshake::Form::kIpop ||
                             peer.configured->persistent_keepalive > Duration::zero());
}

}  // namespace

void Overlay::set_time(Now now) {
  now_ = now;
  resolver_.set_time(now);
  announcer_.set_time(now);
}

void Overlay::service(Now now) {
  set_time(now);
  last_service_ = now.mono;
  resolver_.service(now);
  ask_relays_again(now);
  announcer_.service(now);
  nat_.service(now.mono);
  if (invitations_due_ && now.mono >= *invitations_due_) invite_peers(now);
  pings_.service(now.mono);
  relay_service_.service(now.mono);
  circuits_.service(now.mono);
  relays_.service(now);
  guest_records_.service(now.mono);
  deposits_.service(now.mono);
  sweep_circuits(now);
  guessing_.service(now.mono);
  revocations_.service();
  if (now.mono >= next_own_check_) check_own_certificate(now);
  ask_links_again(now);
  lan_.service(now.mono);
  while (const auto index = timers_.pop_due(now.mono)) {
    if (Peer* peer = peers_.by_index(engine::PeerIndex{*index})) service_peer(*peer, now);
  }
  if (save_wanted_ && now.mono >= next_save_) remember_peers(now);
  context_.table.reclaim();
}

Instant Overlay::deadline() const {
  Instant earliest = std::min(
      {last_service_ + kIdleTick, announcer_.deadline(), nat_.deadline(), relays_.deadline()});
  for (const std::optional<Instant>& due :
       {timers_.next(), resolver_.deadline(), pings_.deadline(), invitations_due_,
        circuits_.deadline(), guessing_.deadline(), lan_.deadline(), deposits_.deadline(),
        revocations_.deadline()}) {
    if (due) earliest = std::min(earliest, *due);
  }
  return earliest;
}

void Overlay::service_peer(Peer& peer, Now now) {
  peer.serviced = now.mono;
  service_connecting(peer, now);
  const bool was_connected = peer.connected();
  expire_sessions(context_, peer, now.mono);
  membership_.review(peer, now.mono);
  if (peer.connected()) {
    const LivenessMonitor::Verdict verdict = liveness_.service(peer, now.mono);
    // Perhaps our NAT has forgotten us: if so, the peer must hear of it from somebody else.
    if (verdict != LivenessMonitor::Verdict::kWell) {
      nat_.ask_again(now.mono);
      doubt(peer, now);
    }
    if (verdict == LivenessMonitor::Verdict::kSilent) {
      log::info("{} does not answer at {}: looking for another way", peer.display(),
                peer.path ? peer.path->to_string() : "?");
      drop_dead_circuits(peer, now.mono - kSilence);
      connect(peer, now);
      ask_directory(peer, now);
    } else if (wants_rekey(context_, peer, now.mono)) {
      handshaker_.start(peer, now);
    }
    if (lane_prober_.service(peer, now.mono)) handshaker_.start(peer, now);
    if (membership_.service(peer, now.mono)) on_authorised(peer);
    service_relayed(peer, now);
    paths_.probe(peer, now.mono);
  } else if (was_connected) {
    log::debug("{}: session over", peer.display());
  }
  if (!peer.connected() && calls_again(peer)) handshaker_.start(peer, now);
  const bool stranger = !peer.credential && !peer.configured && peer.sessions.empty() &&
                        !peer.connecting && now.mono - peer.created >= kStrangerFor;
  if (stranger) {
    timers_.cancel(std::to_underlying(peer.index));
    peers_.remove(peer);
    return;
  }
  schedule(peer, now);
}

void Overlay::service_connecting(Peer& peer, Now now) {
  if (!peer.connecting) return;
  const bool gave_up = handshaker_.service(peer, now);
  if (gave_up) {
    // Nobody answered anywhere, and the sessions that are left were silent: let them go, so that
    // the next packet starts afresh.
    tell_host(peer, engine::RejectReason::kHostUnreachable);
    const bool silent = now.mono - peer.last_heard > 15s;
    if (peer.form == handshake::Form::kIpop && silent) retire_all_sessions(context_, peer);
    return;
  }
  const Connecting& connecting = *peer.connecting;
  if (const auto due = relay_deadline(peer); due && now.mono >= *due) seek_relays(peer, now);
  if (connecting.attempts == kAskDirectoryAt && !peer.connected()) ask_directory(peer, now);
  if (!connecting.told_host && now.mono - connecting.since >= kTellHostAfter && !peer.connected()) {
    peer.connecting->told_host = true;
    tell_host(peer, engine::RejectReason::kHostUnreachable);
  }
}

// Counted from when it was last looked after: a peer that says something all the time must not put
// that off for ever.
void Overlay::schedule(const Peer& peer, Now now) {
  const Instant since = peer.serviced;
  std::optional<Instant> due = handshaker_.deadline(peer);
  if (!peer.sessions.empty()) {
    const engine::SessionActivity activity = activity_of(context_, peer);
    const Instant last = std::max(activity.last_data_tx, activity.last_data_rx);
    const bool greeting = peer.form == handshake::Form::kIpop && peer.connected() &&
                          !(peer.authorised && peer.admits_us);
    const bool busy = greeting || now.mono - last < kTrafficFor;
    const Instant tick = since + (peer.liveness.unanswered ? kAnxiousTick
                                  : busy                   ? kBusyTick
                                                           : kQuietTick);
    due = due ? std::min(*due, tick) : tick;
  } else if (!due && !peer.credential && !peer.configured) {
    due = std::max(peer.created + kStrangerFor, since + kQuietTick);
  } else if (!due && calls_again(peer)) {
    due = since + kCallAgainAfter;
  }
  if (const auto lanes = lane_prober_.deadline(peer)) due = due ? std::min(*due, *lanes) : *lanes;
  if (const auto relay = relay_deadline(peer)) due = due ? std::min(*due, *relay) : *relay;
  const std::uint32_t key = std::to_underlying(peer.index);
  if (due) {
    timers_.set(key, *due);
  } else {
    timers_.cancel(key);
  }
}

void Overlay::add_static(const StaticPeer& configured, Now now) {
  if (configured.form == handshake::Form::kWireGuard) handshaker_.listen_to_wireguard();
  Peer* peer = peers_.by_key(configured.key);
  if (peer != nullptr && peer->form != configured.form) {
    timers_.cancel(std::to_underlying(peer->index));
    peers_.remove(*peer);
    peer = nullptr;
  }
  if (peer == nullptr) {
    const auto added = peers_.add(configured.form, configured.key, now.mono);
    if (!added) {
      warn("peer " + configured.name + ": " + added.error().message);
      return;
    }
    peer = *added;
  }
  if (peer->configured == configured) return;
  peer->configured = configured;
  const bool plain = configured.form == handshake::Form::kWireGuard;
  peer->psk = configured.preshared_key ? *configured.preshared_key
              : plain                  ? Secret<32>()
                                       : context_.network.handshake_psk();
  peers_.drop_routes(*peer);
  membership_.grant_configured(*peer);
  peer->authorised = plain;
  if (!plain && peer->credential && membership_.accept(*peer, *peer->credential, now.mono)) {
    on_authorised(*peer);
  }
  if (!plain || configured.persistent_keepalive > Duration::zero()) connect(*peer, now);
  schedule(*peer, now);
}

void Overlay::set_static_peers(std::vector<StaticPeer> wanted, Now now) {
  now_ = now;
  std::vector<Peer*> gone;
  peers_.for_each([&](Peer& peer) {
    const bool kept = std::ranges::find(wanted, peer.key, &StaticPeer::key) != wanted.end();
    if (peer.configured && !kept) gone.push_back(&peer);
  });
  for (Peer* peer : gone) {
    timers_.cancel(std::to_underlying(peer->index));
    peers_.remove(*peer);
  }
  for (const StaticPeer& configured : wanted)
    add_static(configured, now);
  settings_.static_peers = std::move(wanted);
}

void Overlay::remember_peers(Now now) {
  save_wanted_ = false;
  next_save_ = now.mono + kSaveInterval;
  if (const auto saved = known_peers_.save(peers_, now); !saved) warn(saved.error().message);
}

void Overlay::recall_peers(Now now) {
  std::string warning;
  std::vector<KnownPeer> known = known_peers_.load(warning);
  if (!warning.empty()) warn(warning);
  std::ranges::sort(known, std::greater{}, &KnownPeer::last_heard);
  unsigned calls = 0;
  for (KnownPeer& entry : known) {
    const auto key = exchange_key_of(entry.credential.signing_key);
    if (!key || entry.credential.node_id() == context_.identity.node_id()) continue;
    Peer* peer = peers_.by_key(*key);
    if (peer == nullptr) {
      const auto added = peers_.add(handshake::Form::kIpop, *key, now.mono);
      if (!added) return;
      peer = *added;
      peer->psk = context_.network.handshake_psk();
    }
    const bool taken = std::ranges::any_of(entry.credential.addresses, [&](const Prefix& prefix) {
      const Peer* holder = peers_.holder_of(prefix);
      return holder != nullptr && holder != peer;  // the one heard later
    });
    if (taken || peer->form != handshake::Form::kIpop) continue;
    set_candidates(*peer, entry.candidates);
    peer->remembered_heard = entry.last_heard;
    static_cast<void>(membership_.accept(*peer, entry.credential, now.mono));
    if (now.wall - entry.last_heard < kRecallWithin && calls < kRecallCalls) {
      ++calls;
      handshaker_.start(*peer, now);
    }
    schedule(*peer, now);
  }
}

}  // namespace ipop::overlay
