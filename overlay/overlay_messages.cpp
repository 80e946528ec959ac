// What peers say inside a session: which part of the overlay each message is for.
#include "base/log.hpp"
#include "overlay/overlay.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kControlPerSecond = 200;
constexpr unsigned kProbeRounds = 3;

}  // namespace

void Overlay::on_control(const engine::Punt& punt, Peer& peer, Now now) {
  if (!admit_control(peer, now)) return;
  const auto parsed = message::parse(punt.bytes);
  if (!parsed || peer.session(punt.session) == nullptr) {
    ++context_.counters.control_malformed;
    return;
  }
  if (const auto* ping = std::get_if<message::Ping>(&*parsed)) {
    liveness_.on_ping(peer, punt.session, punt.source, *ping);
    paths_.answer_probe(peer, punt.source, now.mono);
  } else if (const auto* pong = std::get_if<message::Pong>(&*parsed)) {
    if (const auto rtt = liveness_.on_pong(peer, punt.source, *pong, now.mono)) {
      peer.trials.answered(punt.source, now.mono);
      peer.probe_budget.answered(punt.source.address);
      const bool lost = !peer.path;
      if (paths_.consider(peer, punt.source, *rtt, now.mono) && lost)
        context_.injector.retry_staged();
      if (peer.authorised && punt.source.label == 0 && punt.source.socket == 0)
        nat_.on_observed(punt.source, pong->observed, now.mono);
      pings_.on_pong(peer.index, pong->sequence,
                     {.answered = true,
                      .error = {},
                      .rtt = *rtt,
                      .peer = peer.display(),
                      .endpoint = punt.source,
                      .path = path_kind(punt.source),
                      .relay_via = relay_names(punt.source)});
    }
  } else if (const auto* request = std::get_if<message::CredentialRequest>(&*parsed)) {
    membership_.on_request(peer, punt.session, *request);
  } else if (const auto* offer = std::get_if<message::CredentialOffer>(&*parsed)) {
    if (membership_.on_offer(peer, *offer, now.mono)) on_authorised(peer);
  } else if (const auto* refusal = std::get_if<message::Refusal>(&*parsed)) {
    membership_.on_refusal(peer, *refusal, now.mono);
    tell_host(peer, engine::RejectReason::kProhibited);
  } else if (const auto* hello = std::get_if<message::TrustHello>(&*parsed)) {
    if (membership_.on_trust(peer, *hello, now.mono)) on_authorised(peer);
  } else if (const auto* part = std::get_if<message::TrustPart>(&*parsed)) {
    if (membership_.on_trust(peer, *part, now.mono)) on_authorised(peer);
  } else if (const auto* wanted = std::get_if<message::TrustRequest>(&*parsed)) {
    admission_.on_request(peer, *wanted);
  } else if (const auto* untrusted = std::get_if<message::TrustRefusal>(&*parsed)) {
    membership_.on_trust(peer, *untrusted, now.mono);
    tell_host(peer, engine::RejectReason::kProhibited);
  } else if (const auto* probe = std::get_if<message::LaneProbe>(&*parsed)) {
    lane_prober_.on_probe(peer, punt.session, punt.source, *probe);
  } else if (const auto* heard = std::get_if<message::LaneHeard>(&*parsed)) {
    lane_prober_.on_heard(peer, *heard, now.mono);
  } else if (const auto* candidates = std::get_if<message::Candidates>(&*parsed)) {
    set_candidates(peer, candidates->list);
    if (peer.is_relayed()) {
      paths_.plan_probes(peer, kProbeRounds, now.mono);
    } else {
      peer.next_probe = now.mono + 200ms;
    }
  } else if (const auto* open = std::get_if<message::RelayOpen>(&*parsed)) {
    on_relay_open(peer, *open, now);
  } else if (const auto* asked = std::get_if<message::AddressRequest>(&*parsed)) {
    introduce(peer, punt.session, asked->address);
  } else if (const auto* deposit = std::get_if<message::RecordDeposit>(&*parsed)) {
    guest_records_.on_deposit(peer, *deposit, now);
  } else if (const auto* deposited = std::get_if<message::RecordDeposited>(&*parsed)) {
    deposits_.on_answer(peer, *deposited);
  } else if (const auto* introduction = std::get_if<message::Introduction>(&*parsed)) {
    on_introduction(peer, *introduction, now);
  } else if (const auto* offer_of_ports = std::get_if<message::PortsOffer>(&*parsed)) {
    guessing_.on_offer(peer, *offer_of_ports, now.mono);
  } else if (const auto* opened = std::get_if<message::RelayOpened>(&*parsed)) {
    if (!circuits_.on_opened(peer, *opened, now.mono) &&
        !relay_service_.on_opened(peer, *opened, now.mono)) {
      ++context_.counters.control_malformed;
    }
  } else if (const auto* closed = std::get_if<message::RelayClosed>(&*parsed)) {
    // It may have crossed ours, or come twice.
    if (!circuits_.on_closed(peer, *closed))
      static_cast<void>(relay_service_.on_closed(peer, *closed));
  } else if (std::holds_alternative<message::Welcome>(*parsed)) {
    if (peer.authorised) peer.refused.reset();
    if (peer.admits_us) return;
    admitted(context_, peer);
    context_.injector.retry_staged();
  } else if (std::holds_alternative<message::Goodbye>(*parsed)) {
    log::info("{} says goodbye", peer.display());
    retire_all_sessions(context_, peer);
    handshaker_.stop(peer);
    forget(peer);
  }
  schedule(peer, now);
}

// What one peer may cost us: enough for anything that it does by the protocol.
bool Overlay::admit_control(Peer& peer, Now now) {
  if (now.mono - peer.control_second >= 1s) {
    peer.control_second = now.mono;
    peer.control_count = 0;
  }
  if (++peer.control_count <= kControlPerSecond) return true;
  ++context_.counters.control_limited;
  return false;
}

}  // namespace ipop::overlay
