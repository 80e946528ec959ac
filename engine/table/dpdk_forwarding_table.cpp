#include "engine/table/dpdk_forwarding_table.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace ipop::engine {

DpdkForwardingTable::DpdkForwardingTable(const TableSizes& sizes, std::uint32_t max_lcores,
                                         std::unique_ptr<AeadEngine> aead)
    : reclaimer_(max_lcores),
      routes_(sizes.hosts, sizes.prefixes, reclaimer_),
      views_(sizes.peers),
      sessions_(sizes.sessions, reclaimer_),
      labels_(sizes.labels, max_lcores, reclaimer_),
      firewall_(max_lcores),
      aead_(std::move(aead)) {}

DpdkForwardingTable::~DpdkForwardingTable() {
  reclaimer_.finish();
  for (const auto& [index, peer] : peers_)
    delete views_.replace(PeerIndex{index}, nullptr);
}

Result<PeerIndex> DpdkForwardingTable::add_peer() {
  reclaimer_.run();
  std::uint32_t index = fresh_;
  if (!returned_.empty()) {
    index = returned_.front();
    returned_.pop_front();
  } else if (fresh_ < views_.size()) {
    ++fresh_;
  } else {
    return fail("the table of peers is full (" + std::to_string(views_.size()) + ")");
  }
  Peer& peer = peers_[index];
  if (const firewall::PublishedRules* const rules = firewall_.rules()) {
    peer.view.marks[rules->slot()] = {.generation = rules->generation, .stamp = ++last_stamp_};
  }
  show(PeerIndex{index}, peer);
  return PeerIndex{index};
}

void DpdkForwardingTable::set_firewall(const conf::Firewall& rules, const MarksOf& marks_of) {
  std::unique_ptr<const firewall::PublishedRules> next;
  if (!rules.is_off()) {
    next = firewall_.prepare(rules);
    // Where lcores do not look before they see these rules.
    for (auto& [index, peer] : peers_) {
      peer.view.marks[next->slot()] = {.generation = next->generation,
                                       .stamp = ++last_stamp_,
                                       .marks = marks_of(next->rules, PeerIndex{index})};
      show(PeerIndex{index}, peer);
    }
  }
  if (auto old = firewall_.publish(std::move(next))) {
    reclaimer_.defer([owned = std::move(old)] {});
  }
}

void DpdkForwardingTable::set_marks(PeerIndex index, const firewall::PeerMarks& marks) {
  const firewall::PublishedRules* const rules = firewall_.rules();
  const auto at = peers_.find(static_cast<std::uint32_t>(index));
  if (rules == nullptr || at == peers_.end()) return;
  firewall::StampedMarks& present = at->second.view.marks[rules->slot()];
  if (present.marks == marks) return;
  present = {.generation = rules->generation, .stamp = ++last_stamp_, .marks = marks};
  show(index, at->second);
}

const firewall::RuleSet* DpdkForwardingTable::firewall_rules() const noexcept {
  const firewall::PublishedRules* const rules = firewall_.rules();
  return rules == nullptr ? nullptr : &rules->rules;
}

void DpdkForwardingTable::remove_peer(PeerIndex peer) {
  const auto index = static_cast<std::uint32_t>(peer);
  const auto at = peers_.find(index);
  if (at == peers_.end()) return;
  while (!at->second.labels.empty())
    retire_label(at->second.labels.back());
  Peer removed = std::move(at->second);
  peers_.erase(at);
  for (const Prefix& prefix : removed.routes)
    routes_.remove(prefix, peer);
  const PeerView* const view = views_.replace(peer, nullptr);
  for (const Session* session : removed.sessions)
    sessions_.retire(session->local, {});
  // After its sessions, so that a reused index never meets sessions of its former peer.
  reclaimer_.defer([this, index, owned = std::unique_ptr<const PeerView>(view)]() mutable {
    owned.reset();
    returned_.push_back(index);
  });
}

Result<ReceiverIndex> DpdkForwardingTable::reserve_session() {
  reclaimer_.run();
  return sessions_.reserve();
}

void DpdkForwardingTable::publish_session(const SessionSpec& spec) {
  const auto at = peers_.find(static_cast<std::uint32_t>(spec.peer));
  if (at == peers_.end() || !sessions_.is_reserved(spec.local) ||
      sessions_.find(spec.local) != nullptr) {
    return;
  }
  auto session = std::make_unique<Session>();
  session->local = spec.local;
  session->peer = spec.peer;
  session->form = spec.form;
  session->receive_until = spec.receive_until;
  session->sent.send_until = spec.send_until;
  session->sent.remote = spec.remote;
  session->sent.pads = spec.form == SessionForm::kWireGuard;
  session->sent.partial_checksums = spec.partial_checksums;
  aead_->expand(spec.suite, spec.send_key, session->send_key);
  aead_->expand(spec.suite, spec.receive_key, session->receive_key);
  session->add_lanes(spec.send_lanes, spec.receive_lanes);
  at->second.sessions.push_back(session.get());
  sessions_.publish(std::move(session));
}

void DpdkForwardingTable::retire_session(ReceiverIndex index) {
  if (const Session* const session = sessions_.find(index); session != nullptr) {
    const auto at = peers_.find(static_cast<std::uint32_t>(session->peer));
    if (at != peers_.end()) {
      PeerView& view = at->second.view;
      const bool shown = view.session == session || view.successor == session;
      if (view.session == session) view.session = nullptr;
      if (view.successor == session) {
        view.successor = nullptr;
        view.has_successor = false;
      }
      if (shown) show(session->peer, at->second);
    }
  }
  sessions_.retire(index, [this](const Session& last) {
    const auto at = peers_.find(static_cast<std::uint32_t>(last.peer));
    // A removed peer's sessions are freed before its index is used again.
    if (at == peers_.end() || std::erase(at->second.sessions, &last) == 0) return;
    last.add_data(at->second.past);
  });
}

void DpdkForwardingTable::use_session(PeerIndex peer, ReceiverIndex index) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  Session* const session = sessions_.find(index);
  if (at == peers_.end() || session == nullptr || session->peer != peer) return;
  PeerView& view = at->second.view;
  view.session = session;
  view.send_until = session->sent.send_until;
  view.form = session->form;
  view.successor = nullptr;
  view.has_successor = false;
  show(peer, at->second);
}

void DpdkForwardingTable::use_session_once_confirmed(PeerIndex peer, ReceiverIndex index) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  Session* const session = sessions_.find(index);
  if (at == peers_.end() || session == nullptr || session->peer != peer) return;
  PeerView& view = at->second.view;
  view.form = session->form;
  view.successor = session;
  view.has_successor = true;
  show(peer, at->second);
}

void DpdkForwardingTable::set_path(PeerIndex peer, const Path& path) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  if (at == peers_.end()) return;
  at->second.view.endpoint = path.remote;
  at->second.view.mtu = path.mtu;
  at->second.view.lane_ports.ours = 0;
  show(peer, at->second);
  for (const RelayLabel label : at->second.labels)
    show_label(label, specs_.at(std::to_underlying(label)));
}

void DpdkForwardingTable::set_lane_ports(PeerIndex peer, const LanePorts& ports) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  if (at == peers_.end() || at->second.view.lane_ports == ports) return;
  at->second.view.lane_ports = ports;
  show(peer, at->second);
}

Result<void> DpdkForwardingTable::add_route(const Prefix& prefix, PeerIndex peer) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  if (at == peers_.end()) return fail("no such peer");
  if (auto added = routes_.add(prefix, peer); !added) return added;
  std::vector<Prefix>& routes = at->second.routes;
  if (std::ranges::find(routes, prefix.masked()) != routes.end()) return {};
  routes.push_back(prefix.masked());
  choose_homes(at->second);
  show(peer, at->second);
  return {};
}

void DpdkForwardingTable::remove_route(const Prefix& prefix, PeerIndex peer) {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  if (at == peers_.end() || !routes_.remove(prefix, peer)) return;
  std::erase(at->second.routes, prefix.masked());
  choose_homes(at->second);
  show(peer, at->second);
}

void DpdkForwardingTable::choose_homes(Peer& peer) const {
  peer.view.home4 = 0;
  peer.view.home6 = IpAddress();
  for (const Prefix& route : peer.routes) {
    if (!route.is_host()) continue;
    if (route.address.is_v4()) {
      peer.view.home4 = route.address.v4();
    } else {
      peer.view.home6 = route.address;
    }
  }
}

void DpdkForwardingTable::show(PeerIndex index, const Peer& peer) {
  const PeerView* const old = views_.replace(index, new PeerView(peer.view));
  if (old != nullptr) reclaimer_.defer([owned = std::unique_ptr<const PeerView>(old)] {});
}

Result<RelayLabel> DpdkForwardingTable::reserve_label() {
  reclaimer_.run();
  return labels_.reserve();
}

void DpdkForwardingTable::set_label(RelayLabel label, const LabelSpec& spec) {
  const bool ends_here = spec.to == kNoPeer;
  const auto known = [&](PeerIndex peer) { return peers_.contains(std::to_underlying(peer)); };
  if (!labels_.is_reserved(label) || !known(spec.from) || (!ends_here && !known(spec.to))) return;
  const auto at = specs_.find(std::to_underlying(label));
  if (at != specs_.end()) unlink(label, at->second);
  specs_[std::to_underlying(label)] = spec;
  peers_.at(std::to_underlying(spec.from)).labels.push_back(label);
  if (!ends_here) peers_.at(std::to_underlying(spec.to)).labels.push_back(label);
  show_label(label, spec);
}

void DpdkForwardingTable::retire_label(RelayLabel label) {
  const auto at = specs_.find(std::to_underlying(label));
  if (at != specs_.end()) {
    unlink(label, at->second);
    specs_.erase(at);
  }
  labels_.retire(label);
}

void DpdkForwardingTable::unlink(RelayLabel label, const LabelSpec& spec) {
  for (const PeerIndex peer : {spec.from, spec.to}) {
    const auto at = peers_.find(std::to_underlying(peer));
    if (at != peers_.end()) std::erase(at->second.labels, label);
  }
}

Endpoint DpdkForwardingTable::direct_path(PeerIndex peer) const {
  const Endpoint& endpoint = peers_.at(std::to_underlying(peer)).view.endpoint;
  return endpoint.label == 0 ? endpoint : Endpoint{};
}

void DpdkForwardingTable::show_label(RelayLabel label, const LabelSpec& spec) {
  LabelView view{.local = label, .ends_here = spec.to == kNoPeer, .from = direct_path(spec.from)};
  view.to = view.ends_here ? view.from : direct_path(spec.to);
  view.to.label = spec.label;
  labels_.publish(view);
}

LabelActivity DpdkForwardingTable::label_activity(RelayLabel label) const {
  return labels_.is_reserved(label) ? labels_.activity(label) : LabelActivity{};
}

void DpdkForwardingTable::set_relay_limit(std::uint64_t bits_per_s) {
  relay_budget_.set_limit(bits_per_s);
}

SessionActivity DpdkForwardingTable::activity(ReceiverIndex index) const {
  const Session* const session = sessions_.find(index);
  return session == nullptr ? SessionActivity{} : session->activity();
}

PeerCounters DpdkForwardingTable::counters(PeerIndex peer) const {
  const auto at = peers_.find(static_cast<std::uint32_t>(peer));
  if (at == peers_.end()) return {};
  PeerCounters sum = at->second.past;
  for (const Session* session : at->second.sessions)
    session->add_data(sum);
  return sum;
}

void DpdkForwardingTable::reclaim() {
  reclaimer_.run();
}

}  // namespace ipop::engine
