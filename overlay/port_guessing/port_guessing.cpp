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
constexpr unsigned kMany = 1000;  // a second
constexpr Duration kTickOfMany = 4ms;
constexpr unsigned kMostAtOnceOfMany = 64;
constexpr Duration kSocketsAgainAfter = 10s;  // a NAT's shortest memory of what was not answered
constexpr Duration kBusyRest = 10s;           // we had no time for the peer, or no word of it
constexpr Duration kLookEvery = 10s;          // for a peer that moved
constexpr Duration kKnownFor = 10min;         // how our NAT chooses ports
// A peer may ask for a run so often: less than the shortest rest, by what clocks and loss take.
constexpr Duration kLeastRest = 45s;
constexpr Duration kCloseAfter = 3s;  // until both ends have settled
constexpr Duration kCloseEvery = 1s;
constexpr unsigned kMostFound = 16;
constexpr unsigned kUpgradesFirst = 2;  // attempts at the endpoints that the peer names

unsigned most_probes(GuessingEffort effort) {
  return effort == GuessingEffort::kThorough ? PortGuessing::kMostProbesThorough
                                             : PortGuessing::kMostProbes;
}

}  // namespace

PortGuessing::PortGuessing(Context& context, PeerTable& peers, GuessingEffort effort, Hooks hooks)
    : context_(context), peers_(peers), effort_(effort), hooks_(std::move(hooks)) {
  budget_.set_most(most_probes(effort));
}

void PortGuessing::set_effort(GuessingEffort effort, Instant now) {
  const bool less = effort < effort_;
  const bool more = effort > effort_;
  effort_ = effort;
  budget_.set_most(most_probes(effort));
  while (less && !runs_.empty())
    end(runs_.back(), now, effort == GuessingEffort::kNone ? "switched off" : "to be gentler");
  // What had no hope may have some now.
  if (!more) return;
  peers_.for_each([&](Peer& peer) {
    Guessing& guessing = peer.guessing;
    guessing.runs = 0;
    guessing.next = guessing.begun == Instant{} ? now : std::max(now, guessing.begun + kLeastRest);
  });
}

PortGuessing::Run* PortGuessing::run_with(const Peer& peer) {
  const auto at = std::ranges::find(runs_, peer.index, &Run::peer);
  return at == runs_.end() ? nullptr : &*at;
}

void PortGuessing::consider(Peer& peer, Instant now) {
  Guessing& guessing = peer.guessing;
  if (effort_ == GuessingEffort::kNone || !peer.authorised || peer.upgrades < kUpgradesFirst ||
      run_with(peer) != nullptr)
    return;
  if (now < guessing.next && now - guessing.looked < kLookEvery) return;
  guessing.looked = now;
  // Elsewhere, all is to be tried again.
  const bool may_begin = guessing.begun == Instant{} || now - guessing.begun >= kLeastRest;
  if (const auto target = hooks_.seen_at(peer); target && *target != guessing.target && may_begin) {
    guessing.runs = 0;
    guessing.next = std::min(guessing.next, now);
  }
  if (now < guessing.next) return;
  const auto runs = std::min<std::size_t>(guessing.runs, std::size(kRestAfter) - 1);
  guessing.next = now + (begin(peer, true, now) != nullptr ? kRestAfter[runs] : kBusyRest);
}

PortGuessing::Run* PortGuessing::begin(Peer& peer, bool leads, Instant now) {
  const auto target = hooks_.seen_at(peer);
  Own own = hooks_.own();
  if (!target || context_.sockets == nullptr || own.mapping == NatMapping::kUnknown ||
      runs_.size() >= kMostRuns) {
    return nullptr;
  }
  Run& run = runs_.emplace_back(Run{.peer = peer.index,
                                    .leads = leads,
                                    .target = *target,
                                    .theirs = {},
                                    .ours = {},
                                    .since = now,
                                    .next = now,
                                    .first_socket = next_sample_,
                                    .observers = std::move(own.observers),
                                    .sample_ids = {},
                                    .samples = {},
                                    .plan = {},
                                    .guesser = {}});
  next_sample_ += kSamples;
  randombytes_buf(run.id.data(), run.id.size());
  peer.guessing.begun = now;
  peer.guessing.target = *target;
  if (own.mapping != NatMapping::kEndpointDependent) {
    run.ours = PortModel{.kind = Kind::kOne, .first = own.port, .last = own.port};
    sampled(run, peer, now);
  } else if (known_ && now - known_at_ < kKnownFor) {
    run.ours = known_;
    sampled(run, peer, now);
  } else if (run.observers.empty()) {
    run.ours = PortModel{};
    sampled(run, peer, now);
  }
  return run_with(peer);
}

void PortGuessing::end(Run& run, Instant now, std::string outcome) {
  if (Peer* const peer = peers_.by_index(run.peer)) {
    log::debug("{}: guessing ports: {}", peer->display(), outcome);
    peer->guessing.outcome = std::move(outcome);
    ++peer->guessing.runs;
  }
  runs_.erase(runs_.begin() + (&run - runs_.data()));
  if (!runs_.empty()) return;
  kept_.insert(kept_.end(), sockets_.begin(), sockets_.end());
  sockets_.clear();
  next_close_ = now + kCloseAfter;
}

std::optional<std::uint16_t> PortGuessing::socket(std::size_t number) {
  number %= kGuessingSockets;
  while (sockets_.size() <= number) {
    const auto opened = context_.sockets->open_socket();
    if (!opened) break;
    sockets_.push_back(*opened);
  }
  if (sockets_.empty()) return std::nullopt;
  return sockets_[number % sockets_.size()];
}

// Another socket for each question, so that the NAT has to choose a port for it.
void PortGuessing::sample(Run& run, Peer& peer, Instant now) {
  if (run.sent == kSamples) {
    run.ours = port_model_of(run.samples).value_or(PortModel{});
    // Where it steps has to be asked each time.
    if (run.ours->kind == Kind::kAnyOf) {
      known_ = run.ours;
      known_at_ = now;
    }
    return sampled(run, peer, now);
  }
  const auto by = socket(run.first_socket + run.sent);
  if (!by) return end(run, now, "no socket for it could be opened");
  Endpoint to = run.observers[run.sent % run.observers.size()];
  to.socket = *by;
  randombytes_buf(run.sample_ids.emplace_back().data(), sizeof(stun::TransactionId));
  run.samples.emplace_back();
  context_.injector.send_datagram(to, stun::encode_request(run.sample_ids.back()));
  ++run.sent;
  run.next = now + (run.sent == kSamples ? kSampleWait : kSampleEvery);
}

// We know how our own NAT chooses ports.
void PortGuessing::sampled(Run& run, Peer& peer, Instant now) {
  run.sent = 0;
  run.since = now;
  log::debug("{}: our NAT chooses {}", peer.display(), run.ours->to_string());
  if (run.leads) {
    run.phase = Phase::kAsking;
    ask(run, peer, now);
  } else if (run.theirs) {
    send_offer(run, peer, true);
    start_probing(run, now);
  }
}

void PortGuessing::send_offer(const Run& run, const Peer& peer, bool answer) {
  context_.injector.send_sealed(
      peer.current, message::encode(message::PortsOffer{answer, run.id, *run.ours, effort_}));
}

void PortGuessing::ask(Run& run, Peer& peer, Instant now) {
  if (run.sent++ == kAskTries) return end(run, now, "it does not answer");
  run.next = now + kAskEvery;
  send_offer(run, peer, false);
}

void PortGuessing::on_offer(Peer& peer, const message::PortsOffer& offer, Instant now) {
  if (effort_ == GuessingEffort::kNone || !peer.authorised || !peer.is_relayed()) return;
  if (Run* const run = run_with(peer)) {
    if (run->leads && offer.answer && run->phase == Phase::kAsking) {
      run->theirs = offer;
      start_probing(*run, now);
    } else if (!run->leads && !offer.answer && run->phase == Phase::kProbing) {
      // Our answer was lost; or so many were that it has begun anew, which happens once.
      const bool same = offer.id == run->theirs->id;
      if (!same && std::exchange(run->begun_anew, true)) return;
      send_offer(*run, peer, true);
      if (same) return;
      run->theirs = offer;
      start_probing(*run, now);
    }
    return;
  }
  const bool too_soon = peer.guessing.begun != Instant{} && now - peer.guessing.begun < kLeastRest;
  if (offer.answer || too_soon) return;
  Run* const run = begin(peer, false, now);
  if (run == nullptr) return;
  run->theirs = offer;
  if (!run->ours) return;
  send_offer(*run, peer, true);
  start_probing(*run, now);
}

void PortGuessing::start_probing(Run& run, Instant now) {
  const PortModel& theirs = run.theirs->model;
  if (theirs.kind == Kind::kOne && run.ours->kind == Kind::kOne)
    return end(run, now, "neither end has ports to guess");
  const std::string models =
      "our NAT chooses " + run.ours->to_string() + ", its NAT " + theirs.to_string();
  const double chance = chance_of_meeting(here(run), there(run), kProbeFor);
  if (chance < kLeastChance) {
    const bool gentle = std::min(effort_, run.theirs->effort) != GuessingEffort::kThorough;
    const std::string advice =
        gentle ? "; with overlay.port_guessing: thorough at both ends it would be tried" : "";
    return end(run, now, "not tried, there is little hope: " + models + advice);
  }
  run.phase = Phase::kProbing;
  run.since = run.next = now;
  run.sent = 0;
  run.plan = guessing_plan(here(run), there(run), kProbeFor);
  if (budget_.left(run.target, now) < run.plan.probes / 2)
    return end(run, now, "not tried: too much was sent there within ten minutes");
  if (theirs.kind != Kind::kOne)
    run.guesser.emplace(theirs, run.ours->kind == Kind::kOne ? kGuessingSockets : 0);
  log::debug("guessing ports: {}: the chance is {:.0f} %", models, 100 * chance);
}

void PortGuessing::probe_once(Run& run, Instant now) {
  Endpoint to{run.target, run.theirs->model.first};
  if (run.guesser) {
    // Once more to the same port makes another mapping only from another socket.
    const unsigned round = run.ours->kind == Kind::kOne ? 0 : run.guesser->rounds();
    if (round != 0) to.socket = socket(round).value_or(0);
    to.port = run.guesser->next();
  } else if (const auto by = socket(run.sent)) {
    to.socket = *by;
  }
  ++run.sent;
  if (budget_.take(run.target, now))
    context_.injector.send_datagram(to, stun::encode_request(run.theirs->id));
}

void PortGuessing::probe(Run& run, Instant now) {
  const Duration gone = now - run.since;
  unsigned due =
      std::min(run.plan.probes, static_cast<unsigned>(run.plan.rate * (gone / 1ms) / 1000 + 1));
  // What each socket has sent once is only repeated.
  if (run.plan.sockets != 0)
    due = std::min(due, run.plan.sockets * static_cast<unsigned>(gone / kSocketsAgainAfter + 1));
  const bool many = run.plan.rate >= kMany;
  for (unsigned i = 0; i < (many ? kMostAtOnceOfMany : kMostAtOnce) && run.sent < due; ++i)
    probe_once(run, now);
  run.next = now + (many ? kTickOfMany : kTick);
}

bool PortGuessing::on_stun(const Endpoint& source, ByteView datagram, Instant now) {
  if (runs_.empty() || source.label != 0) return false;
  if (const auto request = stun::parse_request(datagram)) {
    const auto run = std::ranges::find(runs_, request->id, &Run::id);
    if (run == runs_.end()) return false;
    Peer* const peer = peers_.by_index(run->peer);
    if (peer != nullptr && source.address == run->target && run->found++ < kMostFound) {
      log::debug("{}: found at {}", peer->display(), source.to_string());
      hooks_.on_found(*peer, source);
    }
    return true;
  }
  const auto response = stun::parse_response(datagram);
  if (!response) return false;
  for (Run& run : runs_) {
    const auto at = std::ranges::find(run.sample_ids, response->id);
    if (at == run.sample_ids.end()) continue;
    if (run.phase == Phase::kSampling && response->mapped && response->mapped->port != 0) {
      run.samples[static_cast<std::size_t>(at - run.sample_ids.begin())] = response->mapped->port;
      const bool all =
          std::ranges::all_of(run.samples, [](const auto& each) { return each.has_value(); });
      if (run.sent == kSamples && all) run.next = now;
    }
    return true;
  }
  return false;
}

void PortGuessing::service(Instant now) {
  close_unused(now);
  for (std::size_t at = runs_.size(); at-- > 0;) {
    if (now >= runs_[at].next) service(runs_[at], now);
  }
}

void PortGuessing::service(Run& run, Instant now) {
  Peer* const peer = peers_.by_index(run.peer);
  if (peer == nullptr || !peer->connected() || !peer->is_relayed()) {
    const bool direct = peer != nullptr && peer->connected() && peer->path;
    const IpAddress target = run.target;
    const std::string tried = " after " + std::to_string(run.sent) + " datagrams";
    end(run, now, direct ? "there is a direct path" + tried : "the session ended" + tried);
    if (direct) {
      peer->guessing.runs = 0;
      budget_.answered(target);
    }
    return;
  }
  switch (run.phase) {
    case Phase::kSampling:
      return sample(run, *peer, now);
    case Phase::kAsking:
      return ask(run, *peer, now);
    case Phase::kProbing:
      break;
  }
  const Duration gone = now - run.since;
  if (gone < kProbeFor && (run.sent < run.plan.probes || gone < kLeastProbing))
    return probe(run, now);
  end(run, now,
      std::to_string(run.sent) + " datagrams in vain: our NAT chooses " + run.ours->to_string() +
          ", its NAT " + run.theirs->model.to_string());
}

std::optional<Instant> PortGuessing::deadline() const {
  std::optional<Instant> earliest;
  if (!kept_.empty()) earliest = next_close_;
  for (const Run& run : runs_) {
    if (!earliest || run.next < *earliest) earliest = run.next;
  }
  return earliest;
}

// A path that was found this way lives as long as its socket, and the socket as long as the
// session.
void PortGuessing::close_unused(Instant now) {
  if (kept_.empty() || now < next_close_) return;
  next_close_ = now + kCloseEvery;
  std::vector<std::uint16_t> used;
  peers_.for_each([&](const Peer& peer) {
    if (peer.connected() && peer.path && peer.path->socket != 0) used.push_back(peer.path->socket);
  });
  std::erase_if(kept_, [&](std::uint16_t socket) {
    if (std::ranges::find(used, socket) != used.end()) return false;
    context_.sockets->close_socket(socket);
    return true;
  });
}

void PortGuessing::forget(const Peer& peer, Instant now) {
  if (Run* const run = run_with(peer)) end(*run, now, "it is gone");
}

std::string PortGuessing::describe(const Peer& peer, Instant now) const {
  if (effort_ == GuessingEffort::kNone) return "guessing ports is off";
  const auto run = std::ranges::find(runs_, peer.index, &Run::peer);
  if (run != runs_.end()) {
    if (run->phase != Phase::kProbing) return "about to guess ports";
    return "guessing ports: " + std::to_string(run->sent) + " datagrams so far";
  }
  if (peer.guessing.outcome.empty()) return {};
  std::string text = "guessing ports: " + peer.guessing.outcome;
  if (peer.guessing.next > now)
    text += "; again in " + std::to_string((peer.guessing.next - now) / 1s) + " s";
  return text;
}

}  // namespace ipop::overlay
