#include "overlay/port_guessing/port_guessing.hpp"

#include <sodium.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Kind = PortModel::Kind;

constexpr Duration kSampleEvery = 25ms;
constexpr Duration kSampleWait = 400ms;  // for the last answers
constexpr Duration kAskEvery = 1s;
constexpr unsigned kAskTries = 5;
constexpr Duration kTick = 20ms;
constexpr Duration kLeastProbing = 10s;  // what the other end sends may still come
constexpr unsigned kMostAtOnce = 16;
constexpr Duration kSocketsAgainAfter = 10s;  // a NAT's shortest memory of what was not answered
constexpr Duration kBusyRest = 10s;           // the peer had no time for us
// A peer may ask for a run so often: less than the shortest rest, by what clocks and loss take.
constexpr Duration kLeastRest = 45s;
constexpr Duration kCloseAfter = 3s;  // until both ends have settled
constexpr Duration kCloseEvery = 1s;
constexpr unsigned kMostFound = 16;
constexpr unsigned kUpgradesFirst = 2;  // attempts at the endpoints that the peer names

}  // namespace

void PortGuessing::set_enabled(bool enabled, Instant now) {
  enabled_ = enabled;
  if (!enabled && run_) end(now, "switched off");
}

void PortGuessing::consider(Peer& peer, Instant now) {
  if (!enabled_ || run_ || !peer.authorised || peer.upgrades < kUpgradesFirst ||
      now < peer.guessing.next) {
    return;
  }
  if (!begin(peer, true, now)) {
    peer.guessing.next = now + kBusyRest;
    return;
  }
  const auto runs = std::min<std::size_t>(peer.guessing.runs, std::size(kRestAfter) - 1);
  peer.guessing.next = now + kRestAfter[runs];
}

// False: there is nobody to guess ports of.
bool PortGuessing::begin(Peer& peer, bool leads, Instant now) {
  const auto target = hooks_.seen_at(peer);
  if (!target || !target->is_v4() || context_.sockets == nullptr) return false;
  Own own = hooks_.own();
  if (own.mapping == NatMapping::kUnknown) return false;
  run_.emplace(Run{.peer = peer.index,
                   .leads = leads,
                   .target = *target,
                   .theirs = {},
                   .ours = {},
                   .since = now,
                   .next = now,
                   .observers = std::move(own.observers),
                   .sample_ids = {},
                   .samples = {},
                   .sockets = {},
                   .guesser = {}});
  randombytes_buf(run_->id.data(), run_->id.size());
  peer.guessing.begun = now;
  if (own.mapping != NatMapping::kEndpointDependent) {
    run_->ours = PortModel{.kind = Kind::kOne, .first = own.port, .last = own.port};
    sampled(now);
  } else if (run_->observers.empty()) {
    run_->ours = PortModel{};
    sampled(now);
  }
  return true;
}

void PortGuessing::end(Instant now, std::string outcome) {
  Peer* const peer = peers_.by_index(run_->peer);
  if (peer != nullptr) {
    log::debug("{}: guessing ports: {}", peer->display(), outcome);
    peer->guessing.outcome = std::move(outcome);
    if (run_->phase == Phase::kProbing) ++peer->guessing.runs;
  }
  kept_.insert(kept_.end(), run_->sockets.begin(), run_->sockets.end());
  next_close_ = now + kCloseAfter;
  run_.reset();
}

std::optional<std::uint16_t> PortGuessing::socket(std::size_t number) {
  while (run_->sockets.size() <= number) {
    const auto opened = context_.sockets->open_socket();
    if (!opened) {
      if (run_->sockets.empty()) return std::nullopt;
      break;
    }
    run_->sockets.push_back(*opened);
  }
  return run_->sockets[number % run_->sockets.size()];
}

// A new socket for each question, so that the NAT has to choose a port for it.
void PortGuessing::sample(Instant now) {
  Run& run = *run_;
  if (run.sent == kSamples) {
    run.ours = port_model_of(run.samples).value_or(PortModel{});
    sampled(now);
    return;
  }
  const auto by = socket(run.sent);
  if (!by) {
    end(now, "no socket for it could be opened");
    return;
  }
  Endpoint to = run.observers[run.sent % run.observers.size()];
  to.socket = *by;
  randombytes_buf(run.sample_ids.emplace_back().data(), sizeof(stun::TransactionId));
  run.samples.emplace_back();
  context_.injector.send_datagram(to, stun::encode_request(run.sample_ids.back()));
  ++run.sent;
  run.next = now + (run.sent == kSamples ? kSampleWait : kSampleEvery);
}

// We know how our own NAT chooses ports.
void PortGuessing::sampled(Instant now) {
  Peer* const peer = peers_.by_index(run_->peer);
  run_->sent = 0;
  run_->since = now;
  log::debug("{}: our NAT chooses {}", peer->display(), run_->ours->to_string());
  if (run_->leads) {
    run_->phase = Phase::kAsking;
    ask(*peer, now);
  } else if (run_->theirs) {
    answer(*peer);
    start_probing(now);
  }
}

void PortGuessing::ask(const Peer& peer, Instant now) {
  if (run_->sent++ == kAskTries) {
    Peer* const there = peers_.by_index(run_->peer);
    there->guessing.next = std::min(there->guessing.next, now + kBusyRest);
    end(now, "it does not answer");
    return;
  }
  run_->next = now + kAskEvery;
  context_.injector.send_sealed(peer.current,
                                message::encode(message::PortsOffer{false, run_->id, *run_->ours}));
}

void PortGuessing::answer(const Peer& peer) {
  context_.injector.send_sealed(peer.current,
                                message::encode(message::PortsOffer{true, run_->id, *run_->ours}));
}

void PortGuessing::on_offer(Peer& peer, const message::PortsOffer& offer, Instant now) {
  if (!enabled_ || !peer.authorised || !peer.is_relayed()) return;
  if (run_ && run_->peer == peer.index) {
    if (run_->leads && offer.answer && run_->phase == Phase::kAsking) {
      run_->theirs = offer;
      start_probing(now);
    } else if (!run_->leads && !offer.answer && run_->phase == Phase::kProbing) {
      answer(peer);  // the first one was lost
    }
    return;
  }
  if (run_ || offer.answer) return;
  const bool too_soon = peer.guessing.begun != Instant{} && now - peer.guessing.begun < kLeastRest;
  if (too_soon || !begin(peer, false, now)) return;
  run_->theirs = offer;
  if (run_->ours) {
    answer(peer);
    start_probing(now);
  }
}

void PortGuessing::start_probing(Instant now) {
  Run& run = *run_;
  const PortModel& theirs = run.theirs->model;
  if (theirs.kind == Kind::kOne && run.ours->kind == Kind::kOne)
    return end(now, "neither end has ports to guess");
  const std::string models =
      "our NAT chooses " + run.ours->to_string() + ", its NAT " + theirs.to_string();
  const double chance = chance_of_meeting(*run.ours, theirs, kProbeFor);
  if (chance < kLeastChance) return end(now, "not tried, there is little hope: " + models);
  run.phase = Phase::kProbing;
  run.since = run.next = now;
  run.sent = 0;
  run.plan = guessing_plan(*run.ours, theirs, kProbeFor);
  if (theirs.kind != Kind::kOne)
    run.guesser.emplace(theirs, run.ours->kind == Kind::kOne ? kGuessingSockets : 0);
  log::debug("guessing ports: {}: the chance is {:.0f} %", models, 100 * chance);
}

void PortGuessing::probe_once() {
  Run& run = *run_;
  Endpoint to{run.target, run.theirs->model.first};
  if (run.guesser) {
    to.port = run.guesser->next();
  } else if (const auto by = socket(run.sent % run.plan.sockets)) {
    to.socket = *by;
  }
  context_.injector.send_datagram(to, stun::encode_request(run.theirs->id));
  ++run.sent;
}

void PortGuessing::probe(Instant now) {
  Run& run = *run_;
  const Duration gone = now - run.since;
  unsigned due =
      std::min(run.plan.probes, static_cast<unsigned>(run.plan.rate * (gone / 1ms) / 1000 + 1));
  // What each socket has sent once is only repeated.
  if (run.plan.sockets != 0)
    due = std::min(due, run.plan.sockets * static_cast<unsigned>(gone / kSocketsAgainAfter + 1));
  for (unsigned i = 0; i < kMostAtOnce && run.sent < due; ++i)
    probe_once();
  run.next = now + kTick;
}

bool PortGuessing::on_stun(const Endpoint& source, ByteView datagram, Instant now) {
  if (!run_) return false;
  Run& run = *run_;
  if (const auto request = stun::parse_request(datagram)) {
    if (request->id != run.id || source.label != 0) return false;
    Peer* const peer = peers_.by_index(run.peer);
    if (peer != nullptr && source.address == run.target && run.found++ < kMostFound) {
      log::debug("{}: found at {}", peer->display(), source.to_string());
      hooks_.on_found(*peer, source);
    }
    return true;
  }
  const auto response = stun::parse_response(datagram);
  if (!response) return false;
  const auto at = std::ranges::find(run.sample_ids, response->id);
  if (at == run.sample_ids.end()) return false;
  if (run.phase == Phase::kSampling && response->mapped && response->mapped->port != 0) {
    run.samples[static_cast<std::size_t>(at - run.sample_ids.begin())] = response->mapped->port;
    if (run.sent == kSamples &&
        std::ranges::all_of(run.samples, &std::optional<std::uint16_t>::has_value))
      run.next = now;
  }
  return true;
}

void PortGuessing::service(Instant now) {
  close_unused(now);
  if (!run_ || now < run_->next) return;
  Peer* const peer = peers_.by_index(run_->peer);
  if (peer == nullptr || !peer->connected() || !peer->is_relayed()) {
    const bool direct = peer != nullptr && peer->connected() && peer->path;
    if (direct) peer->guessing.runs = 0;
    const std::string tried = " after " + std::to_string(run_->sent) + " datagrams";
    end(now, direct ? "there is a direct path" + tried : "the session ended" + tried);
    return;
  }
  switch (run_->phase) {
    case Phase::kSampling:
      return sample(now);
    case Phase::kAsking:
      return ask(*peer, now);
    case Phase::kProbing:
      if (now - run_->since < kProbeFor &&
          (run_->sent < run_->plan.probes || now - run_->since < kLeastProbing)) {
        return probe(now);
      }
      end(now, std::to_string(run_->sent) + " datagrams in vain: our NAT chooses " +
                   run_->ours->to_string() + ", its NAT " + run_->theirs->model.to_string());
      return;
  }
}

std::optional<Instant> PortGuessing::deadline() const {
  if (run_) return run_->next;
  if (!kept_.empty()) return next_close_;
  return std::nullopt;
}

// A path that was found this way lives as long as its socket.
void PortGuessing::close_unused(Instant now) {
  if (kept_.empty() || now < next_close_) return;
  next_close_ = now + kCloseEvery;
  std::vector<std::uint16_t> used;
  peers_.for_each([&](const Peer& peer) {
    if (peer.path && peer.path->socket != 0) used.push_back(peer.path->socket);
  });
  std::erase_if(kept_, [&](std::uint16_t socket) {
    if (std::ranges::find(used, socket) != used.end()) return false;
    context_.sockets->close_socket(socket);
    return true;
  });
}

void PortGuessing::forget(const Peer& peer, Instant now) {
  if (run_ && run_->peer == peer.index) end(now, "it is gone");
}

std::string PortGuessing::describe(const Peer& peer, Instant now) const {
  if (!enabled_) return "guessing ports is off";
  if (run_ && run_->peer == peer.index) {
    if (run_->phase != Phase::kProbing) return "about to guess ports";
    return "guessing ports: " + std::to_string(run_->sent) + " datagrams so far";
  }
  if (peer.guessing.outcome.empty()) return {};
  std::string text = "guessing ports: " + peer.guessing.outcome;
  if (peer.guessing.next > now)
    text += "; again in " + std::to_string((peer.guessing.next - now) / 1s) + " s";
  return text;
}

}  // namespace ipop::overlay
