#include "overlay/peer/membership.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "overlay/peer/handshaker.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kGreetingInterval = 300ms;
constexpr Duration kRefusedFor = 5s;    // until a refused peer is looked at again
constexpr Duration kAliveFor = 15s;     // after we last heard from the holder of an address
constexpr Duration kChallengeFor = 2s;  // that a silent holder has to answer
constexpr Duration kChallengeEvery = 10s;
constexpr Duration kCutAfter = 500ms;  // that the word of why has to get there

// Of two claims the earlier one counts; of two at the same time, the smaller id's.
bool claims_before(const Credential& a, const Credential& b) {
  if (a.claimed_at != b.claimed_at) return a.claimed_at < b.claimed_at;
  return a.node_id() < b.node_id();
}

}  // namespace

Membership::Membership(Context& context, PeerTable& peers, LivenessMonitor& liveness,
                       Admission& admission, const Territory& territory,
                       std::function<bool(const LostAddress&)> on_lost_address,
                       std::function<void(std::string)> on_warning)
    : context_(context),
      peers_(peers),
      liveness_(liveness),
      admission_(admission),
      territory_(territory),
      on_lost_address_(std::move(on_lost_address)),
      on_warning_(std::move(on_warning)) {}

bool Membership::greet(Peer& peer, const Session& session, Instant now) {
  if (peer.form != handshake::Form::kIpop) return false;
  // Who answered has our credential to learn first; who asked offers it without being asked.
  peer.next_greeting = session.initiator ? now : now + kGreetingInterval;
  peer.trust.cut_at.reset();
  review(peer, now);
  admission_.greet(peer);
  const bool known = peer.credential && peer.credential->digest() == session.credential;
  const bool authorised = known && authorise(peer, now);
  return service(peer, now) || authorised;
}

bool Membership::service(Peer& peer, Instant now) {
  const Session* session = peer.session(peer.current);
  if (peer.form != handshake::Form::kIpop || session == nullptr || now < peer.next_greeting) {
    return false;
  }
  if (peer.refused && now - peer.refused_at < kRefusedFor) return false;
  peer.next_greeting = now + kGreetingInterval;
  const bool known = peer.credential && peer.credential->digest() == session->credential;
  if (!known) send(peer, message::CredentialRequest{session->credential});
  if (!peer.admits_us) send(peer, message::CredentialOffer{context_.credential.encoded});
  admission_.service(peer, !peer.authorised);
  return known && !peer.authorised && authorise(peer, now);
}

void Membership::send(const Peer& peer, const message::Message& message) {
  context_.injector.send_sealed(peer.current, message::encode(message));
}

void Membership::on_request(Peer& peer, engine::ReceiverIndex session,
                            const message::CredentialRequest& request) {
  if (request.digest != context_.credential.digest()) return;  // one that we no longer use
  const engine::ReceiverIndex answer_with = peer.connected() ? peer.current : session;
  context_.injector.send_sealed(
      answer_with, message::encode(message::CredentialOffer{context_.credential.encoded}));
}

bool Membership::on_offer(Peer& peer, const message::CredentialOffer& offer, Instant now) {
  if (peer.authorised && peer.credential->encoded == offer.encoded) {
    // It offers because it does not know that it is welcome: the word was lost, or it was
    // restarted.
    send(peer, message::Welcome{});
    return false;
  }
  const auto credential = Credential::parse(offer.encoded);
  if (!credential) {
    refuse(peer, message::RefusalReason::kBadCredential, {},
           "its credential is not valid: " + credential.error().message, now);
    return false;
  }
  return accept(peer, *credential, now);
}

bool Membership::accept(Peer& peer, const Credential& credential, Instant now) {
  const auto key = exchange_key_of(credential.signing_key);
  if (!key || *key != peer.key) {
    refuse(peer, message::RefusalReason::kBadCredential, {},
           "its credential belongs to another key", now);
    return false;
  }
  const bool changed = !peer.credential || peer.credential->encoded != credential.encoded;
  if (changed) {
    peers_.drop_routes(peer);
    peer.authorised = false;
    peers_.set_credential(peer, credential);
    Admission::forget_judgement(peer);
    grant_configured(peer);
  }
  if (peer.authorised) return false;
  return authorise(peer, now);
}

bool Membership::authorise(Peer& peer, Instant now) {
  if (peer.authorised || !pass(peer, now)) return false;
  grant_configured(peer);
  if (!settle_own_address(peer, now)) return false;
  tell_names(peer);
  std::vector<Prefix> wanted = peer.credential->addresses;
  wanted.insert(wanted.end(), peer.credential->routes.begin(), peer.credential->routes.end());
  const std::vector<Endpoint> underlay = Handshaker::targets(peer);
  std::erase_if(wanted, [&](const Prefix& prefix) { return !territory_.grants(prefix, underlay); });
  // All or nothing: who may not have one of them takes none away from others.
  for (const Prefix& prefix : wanted) {
    if (!may_take(peer, prefix, now)) return false;
  }
  for (const Prefix& prefix : wanted) {
    if (Peer* holder = peers_.holder_of(prefix); holder != nullptr && holder != &peer) {
      log::info("{} moves from {} to {}", prefix.to_string(), holder->display(), peer.display());
      peers_.drop_routes(*holder);
      holder->authorised = false;
    }
    if (!peers_.add_route(peer, prefix)) {
      on_warning_("no room in the forwarding table for " + prefix.to_string());
      return false;
    }
  }
  peer.authorised = true;
  peer.refused.reset();
  peer.trust.cut_at.reset();
  if (peer.connected()) send(peer, message::Welcome{});
  return true;
}

// False if the peer claims an address that is ours; then one of the two has to go.
bool Membership::settle_own_address(Peer& peer, Instant now) {
  if (const auto lost = loses_to(*peer.credential)) {
    if (!peer.connected()) return false;  // a claim of a node that may be long gone
    ++context_.counters.address_conflicts;
    if (!on_lost_address_({*lost, peer.display()})) {
      refuse(peer, message::RefusalReason::kAddressInUse, *lost,
             "claims our address " + lost->to_string(), now);
    }
    return false;
  }
  for (const Prefix& own : context_.credential.addresses) {
    for (const Prefix& theirs : peer.credential->addresses) {
      if (own.address != theirs.address) continue;
      ++context_.counters.address_conflicts;
      on_warning_("address conflict: " + peer.display() + " also claims our address " +
                  own.address.to_string() + "; we claimed it first, so it is refused");
      refuse(peer, message::RefusalReason::kAddressInUse, own.address,
             "claims our address " + own.address.to_string(), now);
      return false;
    }
  }
  return true;
}

bool Membership::may_take(Peer& peer, const Prefix& prefix, Instant now) {
  Peer* holder = peers_.holder_of(prefix);
  if (holder == nullptr || holder == &peer) return true;
  const bool alive = lives(*holder, now);
  if (!holder->configured && !alive) return true;
  // Whoever lives here keeps what it has, whatever time another one names for its claim. And a
  // record alone is not worth a word: its sender may be long gone.
  if (!peer.connected()) return false;
  ++context_.counters.address_conflicts;
  refuse(peer, message::RefusalReason::kAddressInUse, prefix.address,
         "claims " + prefix.to_string() + ", which " + holder->display() + " holds", now);
  return false;
}

// Silence is not death: a peer with nothing to say is asked before its address is given away.
bool Membership::lives(Peer& holder, Instant now) {
  if (!holder.connected()) return false;
  if (now - holder.last_heard < kAliveFor) return true;
  if (!holder.challenged || now - *holder.challenged > kChallengeEvery) {
    holder.challenged = now;
    liveness_.send_ping(holder, now);
  }
  return now - *holder.challenged < kChallengeFor;
}

std::optional<IpAddress> Membership::loses_to(const Credential& rival) const {
  if (rival.node_id() == context_.identity.node_id()) return std::nullopt;
  for (const Prefix& own : context_.credential.addresses) {
    for (const Prefix& theirs : rival.addresses) {
      if (own.address == theirs.address && claims_before(rival, context_.credential)) {
        return own.address;
      }
    }
  }
  return std::nullopt;
}

void Membership::refuse(Peer& peer, message::RefusalReason reason, const IpAddress& address,
                        std::string why, Instant now) {
  if (!peer.refused) log::warning("{} is refused: it {}", peer.display(), why);
  peer.refused = std::move(why);
  peer.refused_at = now;
  if (peer.connected()) send(peer, message::Refusal{reason, address});
}

void Membership::on_refusal(Peer& peer, const message::Refusal& refusal, Instant now) {
  std::string why = refusal.reason == message::RefusalReason::kAddressInUse
                        ? "it refuses us: our address " + refusal.address.to_string() +
                              " is in use by another node"
                        : "it refuses us: it could not verify our credential";
  if (peer.refused != why) log::warning("{}: {}", peer.display(), why);
  peer.refused = std::move(why);
  peer.refused_at = now;
}

void Membership::grant_configured(Peer& peer) {
  const bool owes = admission_.required() && peer.form == handshake::Form::kIpop;
  if (!peer.configured || (owes && !peer.trust.standing)) return;
  tell_names(peer);
  for (const Prefix& prefix : peer.configured->allowed_ips) {
    if (const auto added = peers_.add_route(peer, prefix); !added) {
      on_warning_("peer " + peer.configured->name + ": " + prefix.to_string() + ": " +
                  added.error().message);
    }
  }
}

// Before anything else is looked at: the claims of a stranger are worth nothing.
bool Membership::pass(Peer& peer, Instant now) {
  const auto judged = admission_.judge(peer);
  if (!judged) refuse(peer, judged.error(), now);
  return judged.value_or(false);
}

void Membership::refuse(Peer& peer, const x509::Refusal& refusal, Instant now) {
  if (peer.refused != refusal.detail) {
    log::warning("{} is refused ({}): {}", peer.display(), x509::name(refusal.reason),
                 refusal.detail);
  }
  peer.refused = refusal.detail;
  peer.refused_at = now;
  admission_.refuse(peer, refusal.reason);
}

void Membership::review(Peer& peer, Instant now) {
  if (peer.trust.cut_at && now >= *peer.trust.cut_at) {
    peer.trust.cut_at.reset();
    retire_all_sessions(context_, peer);
  }
  if (!admission_.required() && peer.trust.names_told != Instant{}) {
    peer.trust.judged = {};  // no certificate counts any more
    tell_names(peer);
  }
  if (!peer.authorised || !admission_.required() || peer.form != handshake::Form::kIpop) return;
  const auto judged = admission_.judge(peer);
  if (judged.value_or(false)) {
    if (peer.trust.judged != peer.trust.names_told) tell_names(peer);
    return;
  }
  peers_.drop_routes(peer);
  peer.authorised = false;
  if (judged) return;  // it has shown nothing yet
  refuse(peer, judged.error(), now);
  peer.trust.cut_at = now + kCutAfter;
}

// Its certificate may be another one, with other groups.
void Membership::tell_names(Peer& peer) {
  peer.trust.names_told = peer.trust.judged;
  peers_.tell_names(peer);
}

bool Membership::judge_again(Peer& peer, Instant now) {
  if (peer.authorised) {
    review(peer, now);
    return false;
  }
  return peer.credential && authorise(peer, now);
}

bool Membership::on_trust(Peer& peer, const message::TrustHello& hello, Instant now) {
  return admission_.on_hello(peer, hello) && judge_again(peer, now);
}

bool Membership::on_trust(Peer& peer, const message::TrustPart& part, Instant now) {
  return admission_.on_part(peer, part) && judge_again(peer, now);
}

void Membership::on_trust(Peer& peer, const message::TrustRefusal& refusal, Instant now) {
  std::string why = "it refuses us for " + std::string(x509::name(refusal.reason)) + ": " +
                    x509::advice(refusal.reason);
  if (peer.refused != why) log::warning("{}: {}", peer.display(), why);
  peer.refused = std::move(why);
  peer.refused_at = now;
  if (!peer.admits_us) return;
  // It did let us in until now: nothing more is to be sent to it.
  peer.admits_us = false;
  retire_all_sessions(context_, peer);
}

}  // namespace ipop::overlay
