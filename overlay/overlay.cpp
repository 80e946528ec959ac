#include "overlay/overlay.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxWarnings = 16;
constexpr Duration kSettled = 10s;     // a session that old is not what an invitation was about
constexpr Duration kGiveWayFor = 60s;  // after the start: nobody relies on us yet

std::vector<Prefix> own_prefixes(const Credential& credential) {
  std::vector<Prefix> prefixes = credential.addresses;
  prefixes.insert(prefixes.end(), credential.routes.begin(), credential.routes.end());
  return prefixes;
}

bool is_handshake(ByteView datagram) {
  if (datagram.empty()) return false;
  switch (datagram[0]) {
    case 0x01:
    case 0x02:
    case 0x03:
    case 0x11:
    case 0x12:
      return true;
    default:
      return false;
  }
}

}  // namespace

Overlay::Overlay(Context context, OverlaySettings settings,
                 std::function<void(std::string)> on_fatal)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      on_fatal_(std::move(on_fatal)),
      territory_(settings_.subnets, own_prefixes(context_.credential)),
      peers_(context_.table, context_.network.handshake_mac(), settings_.max_peers,
             [this](const Prefix& prefix, bool added) {
               if (territory_.covers(prefix)) return;
               territory_.set_routed(prefix, added);
               settings_.on_route(prefix, added);
             }),
      handshaker_(context_, peers_),
      liveness_(context_),
      paths_(context_, liveness_, territory_),
      lane_prober_(context_),
      nat_([this](const Endpoint& to,
                  ByteView datagram) { context_.injector.send_datagram(to, datagram); },
           [this](Instant) {
             announce_candidates(now_);
             if (started_ != Instant{}) set_reach(now_);
           },
           context_.sockets),
      admission_(context_, now_, std::move(settings_.trust), [this] { on_revocation_list(); }),
      revocations_(context_, admission_, now_),
      membership_(
          context_, peers_, liveness_, admission_, territory_,
          [this](const LostAddress& lost) { return on_lost_address(lost); },
          [this](std::string text) { warn(std::move(text)); }),
      resolver_(
          context_, [this](const NodeRecord& record) { on_record(record, false, now_); },
          [this](const IpAddress& address) { on_unreachable(address); }),
      announcer_(
          context_, [this](const NodeRecord& record) { on_record(record, true, now_); },
          [this](const NodeRecord& record) {
            if (membership_.loses_to(record.credential)) on_record(record, false, now_);
          }),
      known_peers_(settings_.known_peers_file),
      relay_service_(
          context_, peers_,
          [this](engine::PeerIndex asker, const NodeId& node) { on_wanted_node(asker, node); }),
      circuits_(
          context_, peers_,
          [this](const NodeId& remote, const Endpoint& was, const Endpoint& is) {
            on_circuit(remote, was, is);
          },
          [this](engine::PeerIndex relay) { relays_.shun(relay, now_.mono); }),
      relays_(context_, peers_, liveness_,
              {.learn = [this](const NodeRecord& record) { return learn(record, now_); },
               .connect =
                   [this](Peer& peer) {
                     handshaker_.start(peer, now_);
                     schedule(peer, now_);
                   },
               .has_family = [this](bool v4) { return has_family(v4); },
               .own_record = [this] { return announcer_.make_record(now_); },
               .on_homes = [this] { set_reach(now_); },
               .on_lost = [this](Peer& relay) { on_relay_lost(relay); }}),
      guest_records_(context_),
      deposits_(context_, peers_),
      guessing_(context_, peers_, settings_.port_guessing, guessing_hooks()),
      lan_(context_, {.own_record = [this] { return announcer_.make_record(now_); },
                      .on_record = [this](const NodeRecord& record) { learn(record, now_); }}) {
  peers_.set_on_remove([this](Peer& peer) { forget(peer); });
  peers_.set_on_names(settings_.on_names);
  announcer_.set_on_publish(
      [this](const IpAddress& address, const DirectoryValue& value, std::uint64_t sequence) {
        deposits_.leave(address, value, sequence, relays_.homes(), now_.mono);
      });
  context_.table.set_relay_limit(settings_.relay.limit_bits_per_s);
}

void Overlay::start(Now now) {
  now_ = now;
  started_ = now.mono;
  recall_lists();
  revocations_.listen();
  for (const StaticPeer& configured : settings_.static_peers)
    add_static(configured, now);
  recall_peers(now);
  told_ = own_candidates();
  announcer_.start(told_, now);
  set_reach(now);
  lan_.introduce(now.mono);
}

void Overlay::stop(Now now) {
  now_ = now;
  remember_peers(now);
  peers_.for_each([&](Peer& peer) {
    if (peer.connected() && peer.form == handshake::Form::kIpop) {
      context_.injector.send_sealed(peer.current, message::encode(message::Goodbye{}));
    }
  });
  announcer_.withdraw();
  relays_.withdraw();
}

void Overlay::on_punt(const engine::Punt& punt, Now now) {
  now_ = now;
  Peer* peer = punt.peer == engine::kNoPeer ? nullptr : peers_.by_index(punt.peer);
  switch (punt.kind) {
    case engine::PuntKind::kDatagram: {
      if (stun::is_message(punt.bytes)) {
        if (!guessing_.on_stun(punt.source, punt.bytes, now.mono) &&
            !nat_.on_datagram(punt.source, punt.bytes, now.mono))
          ++context_.counters.datagrams_unknown;
        return;
      }
      if (!is_handshake(punt.bytes)) {
        ++context_.counters.datagrams_unknown;
        return;
      }
      const auto outcome = handshaker_.consume(punt.source, punt.bytes, now);
      if (outcome.event == Handshaker::Event::kUp) {
        session_up(*outcome.peer, outcome.session, punt.source, now);
      } else if (outcome.peer != nullptr) {
        // Until the session is confirmed, its source is all we know of where the peer is.
        if (!outcome.peer->connected()) paths_.use(*outcome.peer, punt.source);
        schedule(*outcome.peer, now);
      }
      return;
    }
    case engine::PuntKind::kControl:
      if (peer != nullptr) on_control(punt, *peer, now);
      return;
    case engine::PuntKind::kResolve:
      on_resolve(punt.address, now);
      return;
    case engine::PuntKind::kNeedSession:
      if (peer != nullptr) on_need_session(*peer, punt.address, now);
      return;
    case engine::PuntKind::kSessionConfirmed:
      if (peer != nullptr) {
        const Session* session = peer->session(punt.session);
        if (session != nullptr && !session->confirmed) {
          session_up(*peer, punt.session, punt.source, now);
        }
      }
      return;
    case engine::PuntKind::kPathChanged:
      if (peer != nullptr && peer->session(punt.session) != nullptr) {
        paths_.follow(*peer, punt.source, now.mono);
      }
      return;
  }
}

// A session works in both directions from here on: ours because the response came, theirs because
// the first datagram on it did.
void Overlay::session_up(Peer& peer, engine::ReceiverIndex local, const Endpoint& source, Now now) {
  const bool first = !peer.connected();
  confirm_session(context_, peer, local, now.mono);
  peer.trials.answered(source, now.mono);
  paths_.meet(peer, source, first, now.mono);
  handshaker_.stop(peer);
  peer.liveness.unanswered.reset();
  const Session session = *peer.session(local);
  if (peer.form == handshake::Form::kWireGuard) {
    if (session.initiator) context_.injector.send_sealed(local, {});
  } else {
    static_cast<void>(membership_.greet(peer, session, now.mono));
    send_candidates(peer);  // also what proves an initiator's keys to the responder
    liveness_.send_ping(peer, now.mono);
  }
  if (first) {
    log::info("connected to {} at {} ({})", peer.display(), source.to_string(),
              engine::name(session.suite));
  }
  if (peer.authorised && peer.admits_us) peer.refused.reset();
  if (peer.authorised) on_authorised(peer);
  save_wanted_ = true;
  schedule(peer, now);
}

void Overlay::on_authorised(Peer& peer) {
  take_circuits(peer);
  peer.waiting.clear();
  for (const Prefix& prefix : peer.routes)
    resolver_.settle(prefix.address);
  context_.injector.retry_staged();  // packets that had no route now wait for this peer
  if (!peer.connected()) return;
  for (PingService::Pending* ping : pings_.waiting()) {
    if (peers_.by_address(ping->address) != &peer) continue;
    ping->peer = peer.index;
    ping->sequence = liveness_.send_ping(peer, now_.mono);
  }
}

Peer* Overlay::learn(const NodeRecord& record, Now now) {
  const auto key = exchange_key_of(record.credential.signing_key);
  if (!key || record.credential.node_id() == context_.identity.node_id()) return nullptr;
  Peer* peer = peers_.by_key(*key);
  if (peer == nullptr) {
    auto added = peers_.add(handshake::Form::kIpop, *key, now.mono);
    if (!added) return nullptr;
    peer = *added;
    peer->psk = context_.network.handshake_psk();
  }
  if (peer->form != handshake::Form::kIpop) return nullptr;
  // A directory keeps what a node said before: only news may change what we know of it.
  const bool news = record.sequence > peer->record_sequence;
  const bool same = peer->credential && peer->credential->encoded == record.credential.encoded;
  if (news) {
    peer->record_sequence = record.sequence;
    peer->nat = record.nat;
    peer->relay_hints = record.relays;
    set_candidates(*peer, record.candidates);
  }
  if ((news || same || !peer->credential) &&
      membership_.accept(*peer, record.credential, now.mono)) {
    on_authorised(*peer);
  }
  return peer;
}

void Overlay::on_record(const NodeRecord& record, bool invited, Now now) {
  const Peer* const before = peers_.by_node(record.credential.node_id());
  // Its NAT has another mapping now, and lets us in only if we send there.
  const bool path_withdrawn = before != nullptr && record.sequence > before->record_sequence &&
                              before->path && names(before->candidates, *before->path) &&
                              !names(record.candidates, *before->path);
  Peer* const peer = learn(record, now);
  if (peer == nullptr) return;
  // An invitation comes from somebody who has no session with us any more, unless it is an old one
  // that took its time. It is not answered by another: two nodes would go on for ever.
  const Session* session = peer->session(peer->current);
  const bool forgotten = session != nullptr && now.mono - session->created > kSettled &&
                         now.mono - peer->last_heard > 1s;
  const bool wanted = invited && (forgotten || path_withdrawn);
  if (!peer->connected() || wanted) connect(*peer, now, !invited);
  schedule(*peer, now);
}

void Overlay::connect(Peer& peer, Now now, bool with_invitation) {
  const bool fresh = !peer.connecting;
  handshaker_.start(peer, now);
  if (with_invitation && fresh && peer.form == handshake::Form::kIpop) invite(peer, now);
  if (!peer.connecting) ask_directory(peer, now);  // nowhere to send to
  schedule(peer, now);
}

void Overlay::ask_directory(Peer& peer, Now now) {
  if (!peer.credential) return;
  for (const Prefix& prefix : peer.credential->addresses) {
    static_cast<void>(resolver_.resolve(prefix.address, now));
  }
}

// While we start, whoever was first stays. Later on, a claim alone, whatever time it names, does
// not put an end to a node that others rely on.
bool Overlay::on_lost_address(const LostAddress& lost) {
  const bool give_way = now_.mono - started_ < kGiveWayFor;
  if (give_way) {
    on_fatal_("address conflict: " + lost.address.to_string() + " is in use in this network by " +
              lost.holder + ", which claimed it first; choose another address");
  } else {
    warn("address conflict: " + lost.holder + " also claims our address " +
         lost.address.to_string() + ", and says it did so first; it is refused");
  }
  return give_way;
}

void Overlay::warn(std::string text) {
  if (std::ranges::find(warnings_, text) != warnings_.end()) return;
  log::warning("{}", text);
  if (warnings_.size() >= kMaxWarnings) warnings_.erase(warnings_.begin());
  warnings_.push_back(std::move(text));
}

}  // namespace ipop::overlay
