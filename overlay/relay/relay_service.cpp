#include "overlay/relay/relay_service.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

IpAddress address_of(const Peer& peer) {
  return peer.path ? peer.path->address : IpAddress();
}

}  // namespace

using message::RelayCloseReason;

Peer* RelayService::next_hop(const message::RelayOpen& open) const {
  return peers_.by_node(open.via.empty() ? open.to : open.via.front());
}

std::size_t RelayService::asked_by(engine::PeerIndex peer) const {
  const auto first = by_near_.lower_bound({peer, 0});
  const auto last = by_near_.upper_bound({peer, UINT32_MAX});
  return static_cast<std::size_t>(std::distance(first, last));
}

void RelayService::send(engine::PeerIndex to, const message::Message& message) {
  const Peer* const peer = peers_.by_index(to);
  if (peer != nullptr && peer->connected()) {
    context_.injector.send_sealed(peer->current, message::encode(message));
  }
}

void RelayService::refuse(const Peer& peer, std::uint32_t label, RelayCloseReason reason) {
  ++context_.counters.relay_refused;
  send(peer.index, message::RelayClosed{label, reason});
}

void RelayService::ask_next(const Peer& far, Circuit& circuit, const message::RelayOpen& open) {
  // Whoever asked first is told of as we see it, and not as it says.
  const Peer* const near = peers_.by_index(circuit.near);
  circuit.near_seen = !circuit.first    ? open.seen
                      : near != nullptr ? address_of(*near)
                                        : IpAddress();
  message::RelayOpen next{.label = std::to_underlying(circuit.from_far),
                          .from = open.from,
                          .to = open.to,
                          .via = open.via,
                          .passed = open.passed,
                          .seen = circuit.near_seen};
  if (!next.via.empty()) next.via.erase(next.via.begin());
  next.passed.push_back(context_.identity.node_id());
  send(far.index, next);
}

void RelayService::on_open(Peer& from, const message::RelayOpen& open, Instant now) {
  // Who is not verified yet will be in a moment, and asks again.
  if (!from.authorised) return;
  if (!context_.relays || from.is_relayed()) {
    refuse(from, open.label, RelayCloseReason::kNotServing);
    return;
  }
  // Only a relay speaks for others: whoever asks first is who it is.
  const bool first = open.from == *from.node_id();
  const bool passed_on =
      from.relays && !open.passed.empty() && open.passed.back() == *from.node_id();
  if ((!first && !passed_on) || open.passed.size() > message::kMaxVia) {
    refuse(from, open.label, RelayCloseReason::kNotServing);
    return;
  }
  if (const auto known = by_near_.find({from.index, open.label}); known != by_near_.end()) {
    Circuit& circuit = circuits_.at(known->second);
    if (circuit.far_label != 0) {
      send(from.index, message::RelayOpened{open.label, known->second, circuit.far_seen});
    } else if (const Peer* const far = peers_.by_index(circuit.far)) {
      ask_next(*far, circuit, open);
    }
    return;
  }
  Peer* const far = next_hop(open);
  if (far == &from) {
    refuse(from, open.label, RelayCloseReason::kNotConnected);
    return;
  }
  if (far == nullptr || !far->connected()) {
    on_want_(from.index, open.via.empty() ? open.to : open.via.front());
    return;
  }
  if (!far->authorised || far->is_relayed()) {
    refuse(from, open.label, RelayCloseReason::kNotConnected);
    return;
  }
  if (circuits_.size() >= kMaxCircuits || asked_by(from.index) >= kMaxPerPeer) {
    refuse(from, open.label, RelayCloseReason::kTooMany);
    return;
  }
  const auto from_near = context_.table.reserve_label();
  const auto from_far = context_.table.reserve_label();
  if (!from_near || !from_far) {
    if (from_near) context_.table.retire_label(*from_near);
    refuse(from, open.label, RelayCloseReason::kTooMany);
    return;
  }
  // The way back works before the way there is known: whoever is at the end may speak first.
  context_.table.set_label(*from_far, {.from = far->index, .to = from.index, .label = open.label});
  const Key key = std::to_underlying(*from_near);
  Circuit& circuit = circuits_[key] = {.near = from.index,
                                       .far = far->index,
                                       .near_label = open.label,
                                       .first = open.passed.empty(),
                                       .last = open.via.empty(),
                                       .near_seen = {},
                                       .far_seen = {},
                                       .from_far = *from_far,
                                       .since = now};
  by_near_[{from.index, open.label}] = key;
  by_from_far_[std::to_underlying(*from_far)] = key;
  ask_next(*far, circuit, open);
}

bool RelayService::on_opened(Peer& from, const message::RelayOpened& opened, Instant now) {
  const auto found = by_from_far_.find(opened.label);
  if (found == by_from_far_.end()) return false;
  const Key key = found->second;
  Circuit& circuit = circuits_.at(key);
  if (circuit.far != from.index) return false;
  if (circuit.far_label == 0) {
    circuit.since = now;
    const Peer* const near = peers_.by_index(circuit.near);
    log::debug("relaying between {} and {}", near == nullptr ? "?" : near->display(),
               from.display());
  }
  circuit.far_label = opened.answer;
  circuit.far_seen = circuit.last ? address_of(from) : opened.seen;
  context_.table.set_label(engine::RelayLabel{key},
                           {.from = circuit.near, .to = circuit.far, .label = opened.answer});
  send(circuit.near, message::RelayOpened{circuit.near_label, key, circuit.far_seen});
  return true;
}

bool RelayService::on_closed(Peer& from, const message::RelayClosed& closed) {
  auto at = circuits_.find(closed.label);
  if (at == circuits_.end()) {
    const auto far = by_from_far_.find(closed.label);
    if (far == by_from_far_.end()) return false;
    at = circuits_.find(far->second);
  }
  const bool is_end = at->second.near == from.index || at->second.far == from.index;
  if (is_end) close(at->first, closed.reason, &from);
  return is_end;
}

// Tells both ends but the one that knows.
void RelayService::close(Key key, RelayCloseReason reason, const Peer* but) {
  const Circuit circuit = circuits_.at(key);
  drop(key);
  if (but == nullptr || circuit.near != but->index) {
    send(circuit.near, message::RelayClosed{circuit.near_label, reason});
  }
  if (circuit.far_label != 0 && (but == nullptr || circuit.far != but->index)) {
    send(circuit.far, message::RelayClosed{circuit.far_label, reason});
  }
}

void RelayService::drop(Key key) {
  const auto at = circuits_.find(key);
  const Circuit& circuit = at->second;
  for (const engine::RelayLabel label : {engine::RelayLabel{key}, circuit.from_far}) {
    const engine::LabelActivity activity = context_.table.label_activity(label);
    past_.packets += activity.packets;
    past_.bytes += activity.bytes;
    context_.table.retire_label(label);
  }
  by_near_.erase({circuit.near, circuit.near_label});
  by_from_far_.erase(std::to_underlying(circuit.from_far));
  circuits_.erase(at);
}

void RelayService::forget(const Peer& peer) {
  std::vector<Key> gone;
  for (const auto& [key, circuit] : circuits_) {
    if (circuit.near == peer.index || circuit.far == peer.index) gone.push_back(key);
  }
  for (const Key key : gone)
    close(key, RelayCloseReason::kNotConnected, &peer);
}

void RelayService::close_all() {
  while (!circuits_.empty())
    close(circuits_.begin()->first, RelayCloseReason::kNotServing, nullptr);
}

void RelayService::service(Instant now) {
  if (now < next_service_) return;
  next_service_ = now + kServiceEvery;
  std::vector<Key> idle;
  const auto connected = [&](engine::PeerIndex index) {
    const Peer* const peer = peers_.by_index(index);
    return peer != nullptr && peer->connected();
  };
  for (auto& [key, circuit] : circuits_) {
    if (connected(circuit.near) && connected(circuit.far)) {
      circuit.broken = Instant{};
      tell_of_moves(key, circuit);
    } else if (circuit.broken == Instant{}) {
      circuit.broken = now;
    } else if (now - circuit.broken >= kBrokenFor) {
      idle.push_back(key);
      continue;
    }
    const Instant used = std::max(context_.table.label_activity(engine::RelayLabel{key}).last,
                                  context_.table.label_activity(circuit.from_far).last);
    const bool open = circuit.far_label != 0;
    const Instant last = std::max(circuit.since, used);
    if (now - last >= (open ? kIdleFor : kOpenWithin)) idle.push_back(key);
  }
  for (const Key key : idle) {
    const Circuit& circuit = circuits_.at(key);
    const bool well = circuit.far_label != 0 && circuit.broken == Instant{};
    close(key, well ? RelayCloseReason::kDone : RelayCloseReason::kNotConnected, nullptr);
  }
}

// Of the ends of a circuit over us alone: what one of them believes of the other is out of date.
void RelayService::tell_of_moves(Key key, Circuit& circuit) {
  if (circuit.far_label == 0 || !circuit.first || !circuit.last) return;
  if (const IpAddress far = address_of(*peers_.by_index(circuit.far)); far != circuit.far_seen) {
    circuit.far_seen = far;
    send(circuit.near, message::RelayOpened{circuit.near_label, key, far});
  }
  if (const IpAddress near = address_of(*peers_.by_index(circuit.near));
      near != circuit.near_seen) {
    circuit.near_seen = near;
    send(circuit.far,
         message::RelayOpened{circuit.far_label, std::to_underlying(circuit.from_far), near});
  }
}

engine::LabelActivity RelayService::carried() const {
  engine::LabelActivity sum = past_;
  for (const auto& [key, circuit] : circuits_) {
    for (const engine::RelayLabel label : {engine::RelayLabel{key}, circuit.from_far}) {
      const engine::LabelActivity activity = context_.table.label_activity(label);
      sum.packets += activity.packets;
      sum.bytes += activity.bytes;
      sum.last = std::max(sum.last, activity.last);
    }
  }
  return sum;
}

}  // namespace ipop::overlay
