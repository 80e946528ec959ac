#include "overlay/relay/circuits.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

// Between the tries of one open: soon at first, as the relay may only just be connecting.
constexpr Duration kTryAfter[Circuits::kTries] = {200ms, 300ms, 500ms, 1s, 2s};

}  // namespace

Circuit* Circuits::find(engine::PeerIndex relay, engine::RelayLabel local) {
  const auto at = std::ranges::find_if(circuits_, [&](const Circuit& circuit) {
    return circuit.relay == relay && circuit.local == local;
  });
  return at == circuits_.end() ? nullptr : &*at;
}

void Circuits::send(const Circuit& circuit, const message::Message& message) {
  const Peer* const relay = peers_.by_index(circuit.relay);
  if (relay != nullptr && relay->connected()) {
    context_.injector.send_sealed(relay->current, message::encode(message));
  }
}

void Circuits::send_open(Circuit& circuit, Instant now) {
  circuit.next_try = now + kTryAfter[std::min(circuit.tries, kTries - 1)];
  ++circuit.tries;
  send(circuit, message::RelayOpen{.label = std::to_underlying(circuit.local),
                                   .from = context_.identity.node_id(),
                                   .to = circuit.remote,
                                   .via = circuit.via,
                                   .passed = {}});
}

void Circuits::ask(const Peer& relay, const NodeId& remote, std::vector<NodeId> via, Instant now) {
  std::size_t to_it = 0;
  for (const Circuit& circuit : circuits_) {
    if (circuit.remote != remote) continue;
    if (circuit.relay == relay.index) return;
    ++to_it;
  }
  if (to_it >= kMostTo || circuits_.size() >= kMost) return;
  const auto local = context_.table.reserve_label();
  if (!local) return;
  circuits_.push_back({.remote = remote,
                       .via = std::move(via),
                       .relay = relay.index,
                       .local = *local,
                       .asked = true,
                       .seen = {},
                       .endpoint = {},
                       .since = now});
  log::debug("asking {} for a way to {}", relay.display(), remote.brief());
  send_open(circuits_.back(), now);
}

void Circuits::on_open(Peer& relay, const message::RelayOpen& open, Instant now) {
  // Only members that we have verified may bring us others.
  if (!relay.authorised || relay.is_relayed()) return;
  const auto known = std::ranges::find_if(circuits_, [&](const Circuit& circuit) {
    return circuit.relay == relay.index && !circuit.asked && circuit.label == open.label;
  });
  if (known != circuits_.end()) {
    send(*known, message::RelayOpened{open.label, std::to_underlying(known->local), {}});
    return;
  }
  make_room_for(open.from);
  const auto through =
      static_cast<std::size_t>(std::ranges::count(circuits_, relay.index, &Circuit::relay));
  auto local = through < kMostFrom && circuits_.size() < kMost ? context_.table.reserve_label()
                                                               : fail("too many circuits");
  if (!local) {
    ++context_.counters.relay_refused;
    if (relay.connected()) {
      context_.injector.send_sealed(
          relay.current,
          message::encode(message::RelayClosed{open.label, message::RelayCloseReason::kTooMany}));
    }
    return;
  }
  // Back from us, behind the one that brought it.
  std::vector<NodeId> via(open.passed.rbegin(), open.passed.rend());
  if (!via.empty()) via.erase(via.begin());
  Circuit& circuit = circuits_.emplace_back(Circuit{.remote = open.from,
                                                    .via = std::move(via),
                                                    .relay = relay.index,
                                                    .local = *local,
                                                    .label = open.label,
                                                    .seen = open.seen,
                                                    .endpoint = {},
                                                    .since = now});
  context_.table.set_label(*local, {.from = relay.index, .label = open.label});
  send(circuit, message::RelayOpened{open.label, std::to_underlying(*local), {}});
  set_endpoint(circuit);
}

// Of the circuits that others say lead to one node, the latest count.
void Circuits::make_room_for(const NodeId& remote) {
  const auto asked_for = [&](const Circuit& circuit) {
    return circuit.remote == remote && !circuit.asked;
  };
  if (static_cast<std::size_t>(std::ranges::count_if(circuits_, asked_for)) < kMostTo) return;
  std::size_t oldest = circuits_.size();
  for (std::size_t at = 0; at < circuits_.size(); ++at) {
    if (!asked_for(circuits_[at])) continue;
    if (oldest == circuits_.size() || last_heard(circuits_[at]) < last_heard(circuits_[oldest]))
      oldest = at;
  }
  close(circuits_[oldest].local);
}

bool Circuits::on_opened(Peer& relay, const message::RelayOpened& opened, Instant now) {
  Circuit* const circuit = find(relay.index, engine::RelayLabel{opened.label});
  if (circuit == nullptr) return false;
  if (circuit->label != 0) {
    // Again, or news of where the other end is; if it is another answer, the first one holds.
    if (opened.answer == circuit->label) circuit->seen = opened.seen;
    return true;
  }
  circuit->label = opened.answer;
  circuit->seen = opened.seen;
  circuit->since = now;
  log::debug("{} has a way to {}", relay.display(), circuit->remote.brief());
  context_.table.set_label(circuit->local, {.from = relay.index, .label = opened.answer});
  set_endpoint(*circuit);
  return true;
}

bool Circuits::on_closed(Peer& relay, const message::RelayClosed& closed) {
  const Circuit* const circuit = find(relay.index, engine::RelayLabel{closed.label});
  if (circuit == nullptr) return false;
  log::debug("{} has no way to {} any more: reason {}", relay.display(), circuit->remote.brief(),
             static_cast<unsigned>(closed.reason));
  drop(static_cast<std::size_t>(circuit - circuits_.data()));
  if (closed.reason == message::RelayCloseReason::kNotServing) on_refused_(relay.index);
  return true;
}

void Circuits::set_endpoint(Circuit& circuit) {
  const Peer* const relay = peers_.by_index(circuit.relay);
  Endpoint endpoint;
  if (relay != nullptr && relay->path && !relay->is_relayed() && circuit.label != 0) {
    endpoint = *relay->path;
    endpoint.label = circuit.label;
  }
  if (endpoint == circuit.endpoint) return;
  const Endpoint was = std::exchange(circuit.endpoint, endpoint);
  const NodeId remote = circuit.remote;  // the call may add circuits
  on_change_(remote, was, endpoint);
}

void Circuits::drop(std::size_t at) {
  const Circuit gone = circuits_[at];
  circuits_.erase(circuits_.begin() + static_cast<std::ptrdiff_t>(at));
  context_.table.retire_label(gone.local);
  if (gone.endpoint.port != 0) on_change_(gone.remote, gone.endpoint, {});
}

void Circuits::forget(const Peer& relay) {
  for (std::size_t at = circuits_.size(); at-- > 0;) {
    if (at < circuits_.size() && circuits_[at].relay == relay.index) drop(at);
  }
}

void Circuits::close(engine::RelayLabel local) {
  const auto at = std::ranges::find(circuits_, local, &Circuit::local);
  if (at == circuits_.end()) return;
  if (at->label != 0) send(*at, message::RelayClosed{at->label, message::RelayCloseReason::kDone});
  drop(static_cast<std::size_t>(at - circuits_.begin()));
}

void Circuits::close_all() {
  while (!circuits_.empty())
    close(circuits_.back().local);
}

void Circuits::service(Instant now) {
  if (now < next_service_) return;
  next_service_ = now + kServiceEvery;
  for (std::size_t at = circuits_.size(); at-- > 0;) {
    if (at >= circuits_.size()) continue;
    Circuit& circuit = circuits_[at];
    const Peer* const relay = peers_.by_index(circuit.relay);
    if (relay == nullptr || !relay->connected()) {
      drop(at);
    } else if (circuit.label != 0) {
      set_endpoint(circuit);
    } else if (now >= circuit.next_try) {
      if (circuit.tries >= kTries) {
        drop(at);
      } else {
        send_open(circuit, now);
      }
    }
  }
}

std::optional<Instant> Circuits::deadline() const {
  if (circuits_.empty()) return std::nullopt;
  return next_service_;
}

std::vector<const Circuit*> Circuits::to(const NodeId& remote) const {
  std::vector<const Circuit*> list;
  for (const Circuit& circuit : circuits_) {
    if (circuit.remote == remote) list.push_back(&circuit);
  }
  return list;
}

const Circuit* Circuits::at(const Endpoint& endpoint) const {
  if (endpoint.label == 0) return nullptr;
  const auto at = std::ranges::find(circuits_, endpoint, &Circuit::endpoint);
  return at == circuits_.end() ? nullptr : &*at;
}

Instant Circuits::last_heard(const Circuit& circuit) const {
  return context_.table.label_activity(circuit.local).last;
}

}  // namespace ipop::overlay
