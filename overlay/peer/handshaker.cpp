#include "overlay/peer/handshaker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "overlay/handshake/payload.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using handshake::Form;
using handshake::MessageType;

constexpr std::size_t kMaxAttempts = 3;     // initiations in flight to one peer
constexpr std::size_t kMaxUnconfirmed = 3;  // responder sessions that wait for their first datagram
constexpr std::size_t kMaxTargets = 20;
constexpr Duration kMinInitiationInterval = 20ms;  // from one peer; WireGuard's own limit

Secret<32> mac_key(const Context& context, Form form) {
  return form == Form::kIpop ? context.network.handshake_mac() : Secret<32>();
}

std::uint32_t capabilities_for(const Context& context, const Peer& peer) {
  return handshake::kTakesPartialChecksums |
         (context.relays ? handshake::kRelays : handshake::kCapabilityNone) |
         (peer.authorised ? handshake::kAdmitsReceiver : handshake::kCapabilityNone);
}

void agree_on_lanes(Session& session, const Lanes& own, const handshake::Payload& theirs) {
  session.send_lanes = std::min(own.sent, theirs.lanes_taken);
  session.receive_lanes = std::min(own.taken, theirs.lanes_sent);
}

// Whose handshakes are counted together: a host's; of those that come through a relay, each
// circuit's.
IpAddress allowance_of(const Endpoint& source) {
  if (source.label == 0) return source.address;
  IpAddress::Bytes bytes = source.address.bytes();
  bytes[0] = 0xff;  // no host's address begins so
  store_le(&bytes[1], source.label);
  return IpAddress(bytes);
}

std::size_t unconfirmed(const Peer& peer) {
  return static_cast<std::size_t>(
      std::ranges::count_if(peer.sessions, [](const Session& s) { return !s.confirmed; }));
}

}  // namespace

Handshaker::Handshaker(Context& context, PeerTable& peers)
    : context_(context),
      peers_(peers),
      ipop_{Form::kIpop, handshake::MacChecker(Form::kIpop, context.identity.exchange_key(),
                                               mac_key(context, Form::kIpop))} {}

void Handshaker::listen_to_wireguard() {
  if (wireguard_) return;
  wireguard_ = FormState{Form::kWireGuard,
                         handshake::MacChecker(Form::kWireGuard, context_.identity.exchange_key(),
                                               mac_key(context_, Form::kWireGuard))};
}

std::vector<Endpoint> Handshaker::targets(const Peer& peer) {
  std::vector<Endpoint> list;
  const auto add = [&](const Endpoint& endpoint) {
    if (list.size() < kMaxTargets && std::ranges::find(list, endpoint) == list.end()) {
      list.push_back(endpoint);
    }
  };
  if (peer.path) add(*peer.path);
  if (peer.configured && peer.configured->endpoint) add(*peer.configured->endpoint);
  for (const Candidate& candidate : peer.candidates)
    add(candidate.endpoint);
  for (const Endpoint& relayed : peer.relayed)
    add(relayed);
  return list;
}

void Handshaker::start(Peer& peer, Now now) {
  // Who can only be reached through a relay has a target as soon as that says so.
  if (peer.connecting || (targets(peer).empty() && peer.relay_hints.empty())) return;
  ++context_.counters.handshakes_started;
  peer.connecting = Connecting{.since = now.mono, .next_attempt = now.mono};
  send_initiation(peer, now);
}

bool Handshaker::service(Peer& peer, Now now) {
  if (!peer.connecting || peer.connecting->next_attempt > now.mono) return false;
  if (now.mono - peer.connecting->since >= give_up_after(peer)) {
    ++context_.counters.handshakes_failed;
    log::debug("{}: no answer to {} handshake initiations", peer.display(),
               peer.connecting->attempts);
    stop(peer);
    return true;
  }
  send_initiation(peer, now);
  return false;
}

std::optional<Instant> Handshaker::deadline(const Peer& peer) const {
  if (!peer.connecting) return std::nullopt;
  return peer.connecting->next_attempt;
}

void Handshaker::stop(Peer& peer) {
  peer.connecting.reset();
  while (!peer.attempts.empty()) {
    const engine::ReceiverIndex local = peer.attempts.front().local;
    context_.table.retire_session(local);
    peers_.drop_attempt(peer, std::to_underlying(local));
  }
}

// WireGuard peers get WireGuard's own retry time; our own form retries sooner at first, because a
// lost first datagram must not cost the user five seconds.
Duration Handshaker::retry_after(const Peer& peer) const {
  const Duration jitter = std::chrono::milliseconds(randombytes_uniform(334));
  if (peer.form == Form::kWireGuard) return context_.timers.rekey_timeout + jitter;
  const unsigned doublings = std::min(peer.connecting->attempts, 5u);
  return std::min<Duration>(context_.timers.rekey_timeout, 250ms * (1u << doublings) / 2) +
         jitter / 8;
}

Duration Handshaker::give_up_after(const Peer& peer) const {
  return peer.form == Form::kWireGuard ? context_.timers.rekey_attempt : Duration(15s);
}

void Handshaker::send_initiation(Peer& peer, Now now) {
  ++peer.connecting->attempts;
  if (!targets(peer).empty()) peer.connecting->last_attempt = now.mono;
  peer.connecting->next_attempt = now.mono + retry_after(peer);
  if (peer.attempts.size() >= kMaxAttempts) {
    const engine::ReceiverIndex oldest = peer.attempts.front().local;
    context_.table.retire_session(oldest);
    peers_.drop_attempt(peer, std::to_underlying(oldest));
  }
  const auto local = context_.table.reserve_session();
  if (!local) return;  // full: the next attempt may find room
  std::vector<std::uint8_t> payload;
  if (peer.form == Form::kIpop) {
    payload = handshake::Payload{.credential = context_.credential.digest(),
                                 .suites = context_.suites,
                                 .capabilities = capabilities_for(context_, peer),
                                 .lanes_sent = context_.lanes.sent,
                                 .lanes_taken = context_.lanes.taken}
                  .encode();
  }
  auto initiation =
      handshake::create_initiation(peer.form, context_.keys(), peer.key, std::to_underlying(*local),
                                   handshake::tai64n(now.wall), payload);
  if (!initiation) {  // the peer's key is no point of the curve
    context_.table.retire_session(*local);
    log::warning("{}: {}", peer.display(), initiation.error().message);
    return;
  }
  peer.macs.append_macs(initiation->message, now.mono);
  for (const Endpoint& target : targets(peer)) {
    context_.injector.send_datagram(target, initiation->message);
    peer.trials.sent(target, now.mono);
  }
  peers_.add_attempt(peer, {std::move(initiation->state), *local, now.mono});
}

Handshaker::Outcome Handshaker::consume(const Endpoint& source, ByteView datagram, Now now) {
  if (datagram.size() >= 4) {
    FormState* wireguard = wireguard_ ? &*wireguard_ : nullptr;
    switch (static_cast<MessageType>(datagram[0])) {
      case MessageType::kIpopInitiation:
        return consume_initiation(ipop_, source, datagram, now);
      case MessageType::kIpopResponse:
        return consume_response(Form::kIpop, source, datagram, now);
      case MessageType::kCookieReply:
        consume_cookie(datagram, now.mono);
        return {};
      case MessageType::kInitiation:
        if (wireguard == nullptr) break;
        return consume_initiation(*wireguard, source, datagram, now);
      case MessageType::kResponse:
        if (wireguard == nullptr) break;
        return consume_response(Form::kWireGuard, source, datagram, now);
    }
  }
  ++context_.counters.handshake_malformed;
  return {};
}

// Whether an initiation may cost us a key agreement: its mac is right, and under load its sender
// has shown that it receives at its address.
bool Handshaker::admit(FormState& form, const Endpoint& source, ByteView message, Instant now) {
  const handshake::MacVerdict verdict = form.checker.check(message, source, now);
  if (verdict == handshake::MacVerdict::kInvalid) {
    ++context_.counters.handshake_bad_mac;
    return false;
  }
  if (load_.count(now) && verdict != handshake::MacVerdict::kProven) {
    ++context_.counters.cookies_sent;
    context_.injector.send_datagram(source, form.checker.make_reply(message, source, now));
    return false;
  }
  if (!sources_.allow(allowance_of(source), now)) {
    ++context_.counters.handshake_limited;
    return false;
  }
  return true;
}

Peer* Handshaker::initiator_of(const handshake::ReceivedInitiation& initiation, Now now) {
  if (initiation.remote == context_.identity.exchange_key()) return nullptr;
  if (Peer* known = peers_.by_key(initiation.remote)) {
    return known->form == initiation.form ? known : nullptr;
  }
  if (initiation.form == Form::kWireGuard) return nullptr;  // those are all configured
  auto added = peers_.add(Form::kIpop, initiation.remote, now.mono);
  if (!added) return nullptr;
  (*added)->psk = context_.network.handshake_psk();
  return *added;
}

bool Handshaker::fresh(Peer& peer, const handshake::ReceivedInitiation& initiation, Instant now) {
  if (initiation.timestamp <= peer.greatest_timestamp) return false;
  if (peer.last_initiation && now - *peer.last_initiation < kMinInitiationInterval) return false;
  peer.greatest_timestamp = initiation.timestamp;
  peer.last_initiation = now;
  return true;
}

Handshaker::Outcome Handshaker::consume_initiation(FormState& form, const Endpoint& source,
                                                   ByteView message, Now now) {
  if (!admit(form, source, message, now.mono)) return {};
  const auto initiation = handshake::consume_initiation(form.form, context_.keys(), message);
  Result<handshake::Payload> offer = handshake::Payload{};
  if (initiation && form.form == Form::kIpop) {
    offer = handshake::Payload::parse(initiation->payload);
  }
  if (!initiation || !offer) {
    ++context_.counters.handshake_refused;
    return {};
  }
  Peer* peer = initiator_of(*initiation, now);
  if (peer == nullptr || !fresh(*peer, *initiation, now.mono)) {
    ++context_.counters.handshake_refused;
    return {};
  }
  Session session{
      .created = now.mono,
      .credential = offer->credential,
      .admits_us =
          form.form == Form::kWireGuard || (offer->capabilities & handshake::kAdmitsReceiver) != 0,
      .partial_checksums = (offer->capabilities & handshake::kTakesPartialChecksums) != 0,
      .relays = (offer->capabilities & handshake::kRelays) != 0};
  std::vector<std::uint8_t> payload;
  if (form.form == Form::kIpop) {
    agree_on_lanes(session, context_.lanes, *offer);
    session.suite = handshake::choose_suite(offer->suites, context_.suites);
    if ((handshake::suite_bit(session.suite) & context_.suites) == 0) {  // we insist on another
      ++context_.counters.handshake_refused;
      return {};
    }
    payload = handshake::Payload{.credential = context_.credential.digest(),
                                 .suites = handshake::suite_bit(session.suite),
                                 .capabilities = capabilities_for(context_, *peer),
                                 .lanes_sent = context_.lanes.sent,
                                 .lanes_taken = context_.lanes.taken}
                  .encode();
  }
  const auto local = context_.table.reserve_session();
  if (!local) {
    ++context_.counters.handshake_limited;
    return {};
  }
  session.local = *local;
  auto response =
      handshake::create_response(*initiation, std::to_underlying(*local), peer->psk, payload);
  if (!response) {
    context_.table.retire_session(*local);
    ++context_.counters.handshake_refused;
    return {};
  }
  while (unconfirmed(*peer) >= kMaxUnconfirmed) {
    const auto oldest =
        std::ranges::find_if(peer->sessions, [](const Session& s) { return !s.confirmed; });
    context_.table.retire_session(oldest->local);
    peer->sessions.erase(oldest);
  }
  publish(*peer, session, initiation->remote_index, response->keys);
  if (session.admits_us) context_.table.use_session_once_confirmed(peer->index, *local);
  peer->macs.append_macs(response->message, now.mono);
  context_.injector.send_datagram(source, response->message);
  return {Event::kAnswered, peer, *local};
}

Handshaker::Outcome Handshaker::consume_response(Form form, const Endpoint& source,
                                                 ByteView message, Now now) {
  FormState& state = form == Form::kIpop ? ipop_ : *wireguard_;
  if (state.checker.check(message, source, now.mono) == handshake::MacVerdict::kInvalid) {
    ++context_.counters.handshake_bad_mac;
    return {};
  }
  const auto receiver = handshake::receiver_of(message);
  Peer* peer = receiver ? peers_.by_attempt(*receiver) : nullptr;
  if (peer == nullptr || peer->form != form) {
    ++context_.counters.handshake_refused;
    return {};
  }
  const auto attempt = std::ranges::find_if(peer->attempts, [&](const Attempt& candidate) {
    return std::to_underlying(candidate.local) == *receiver;
  });
  const auto response =
      handshake::consume_response(attempt->state, context_.keys(), peer->psk, message);
  Session session{
      .local = attempt->local, .initiator = true, .confirmed = true, .created = attempt->sent};
  session.admits_us = form == Form::kWireGuard;
  bool accepted = response.has_value();
  if (accepted && form == Form::kIpop) {
    const auto choice = handshake::Payload::parse(response->payload);
    const auto suite =
        choice ? handshake::chosen_suite(choice->suites, context_.suites) : std::nullopt;
    accepted = suite.has_value();
    if (accepted) {
      session.credential = choice->credential;
      session.admits_us = (choice->capabilities & handshake::kAdmitsReceiver) != 0;
      session.partial_checksums = (choice->capabilities & handshake::kTakesPartialChecksums) != 0;
      session.relays = (choice->capabilities & handshake::kRelays) != 0;
      session.suite = *suite;
      agree_on_lanes(session, context_.lanes, *choice);
    }
  }
  if (!accepted) {
    ++context_.counters.handshake_refused;
    return {};
  }
  peers_.drop_attempt(*peer, *receiver);  // the session keeps its receiver index
  publish(*peer, session, response->remote_index, response->keys);
  stop(*peer);
  ++context_.counters.handshakes_completed;
  return {Event::kUp, peer, session.local};
}

void Handshaker::consume_cookie(ByteView message, Instant now) {
  const auto receiver = handshake::receiver_of(message);
  Peer* peer = receiver ? peers_.by_attempt(*receiver) : nullptr;
  if (peer == nullptr || !peer->macs.consume_reply(message, now)) {
    ++context_.counters.handshake_refused;
    return;
  }
  // With the cookie the next initiation will be answered: do not wait the full retry time.
  if (peer->connecting) peer->connecting->next_attempt = now + 20ms;
}

void Handshaker::publish(Peer& peer, Session session, std::uint32_t remote,
                         const handshake::TransportKeys& keys) {
  context_.table.publish_session({
      .peer = peer.index,
      .local = session.local,
      .remote = remote,
      .form =
          peer.form == Form::kIpop ? engine::SessionForm::kIpop : engine::SessionForm::kWireGuard,
      .suite = session.suite,
      .partial_checksums = session.partial_checksums,
      .send_lanes = session.send_lanes,
      .receive_lanes = session.receive_lanes,
      .send_key = keys.send,
      .receive_key = keys.receive,
      .send_until = session.created + context_.timers.send_for(),
      .receive_until = session.created + context_.timers.reject_after,
  });
  peer.sessions.push_back(session);
}

}  // namespace ipop::overlay
