// Finding a node through a relay that both are connected to: quicker than the directory, and there
// when the directory is not. The relay's word counts for no more than a record of the directory
// does: who the node is, its credential and the handshake prove.
#include <algorithm>

#include "overlay/overlay.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kQuestionEvery = 300ms;  // while an address is being resolved
constexpr unsigned kRoundsOfHomes = 3;
constexpr std::size_t kMostOthersAsked = 6;
constexpr Duration kSearchEvery = 250ms;  // in the directory, for one peer

}  // namespace

// Ours, and where that did not help, a few of those that we are connected to for other reasons: a
// node whose firewall lets it reach one relay alone may be known to that one only.
std::vector<const Peer*> Overlay::relays_to_ask(bool others) const {
  std::vector<const Peer*> list;
  for (const engine::PeerIndex index : relays_.homes()) {
    const Peer* const home = peers_.by_index(index);
    if (home != nullptr && RelayKeeper::usable(*home)) list.push_back(home);
  }
  if (!others) return list;
  const std::size_t homes = list.size();
  peers_.for_each([&](const Peer& peer) {
    if (list.size() - homes < kMostOthersAsked && RelayKeeper::usable(peer) &&
        !relays_.is_home(peer.index)) {
      list.push_back(&peer);
    }
  });
  return list;
}

void Overlay::ask_relays_for(const std::vector<IpAddress>& addresses, bool others) {
  for (const Peer* const relay : relays_to_ask(others)) {
    for (const IpAddress& address : addresses) {
      context_.injector.send_sealed(relay->current,
                                    message::encode(message::AddressRequest{address}));
    }
  }
}

// They may have to look for it first.
void Overlay::ask_relays_again(Now now) {
  if (now.mono < next_question_) return;
  next_question_ = now.mono + kQuestionEvery;
  const auto pending = resolver_.pending();
  rounds_of_questions_ = pending.empty() ? 0 : rounds_of_questions_ + 1;
  if (!pending.empty()) ask_relays_for(pending, rounds_of_questions_ > kRoundsOfHomes);
}

// One of those that are looked for, in turn: what is said on a link may be lost.
void Overlay::ask_links_again(Now now) {
  if (!lan_.may_ask(now.mono)) return;
  const std::vector<IpAddress> pending = resolver_.pending();
  if (!pending.empty()) lan_.ask(pending[index_of_question_++ % pending.size()], now.mono);
}

void Overlay::introduce(Peer& to, engine::ReceiverIndex session, const IpAddress& address) {
  if (!context_.relays || !to.authorised) return;
  const Peer* const holder = peers_.by_address(address);
  if (holder == nullptr || (!holder->connected() && !holder->connecting)) {
    // Who asks may be one who cannot ask the directory. It asks us again in a moment.
    const bool inside = std::ranges::any_of(
        settings_.subnets, [&](const Prefix& subnet) { return subnet.contains(address); });
    if (inside && now_.mono - to.searched_for >= kSearchEvery) {
      to.searched_for = now_.mono;
      static_cast<void>(resolver_.resolve(address, now_));
    }
    return;
  }
  if (holder == &to || !holder->connected() || !holder->authorised || !holder->credential ||
      holder->is_relayed()) {
    return;
  }
  context_.injector.send_sealed(
      to.connected() ? to.current : session,
      message::encode(message::Introduction{holder->credential->encoded}));
}

void Overlay::on_introduction(Peer& relay, const message::Introduction& introduction, Now now) {
  auto credential = Credential::parse(introduction.encoded);
  // Only what we asked for, and only from whom we ask.
  const auto asked = relays_to_ask(true);
  const bool is_asked = std::ranges::find(asked, &relay) != asked.end();
  const bool wanted = credential && is_asked && RelayKeeper::usable(relay) && relay.credential &&
                      std::ranges::any_of(credential->addresses, [&](const Prefix& prefix) {
                        return resolver_.resolving(prefix.address);
                      });
  if (!wanted) {
    ++context_.counters.records_refused;
    return;
  }
  // As a record that names no endpoint; any that the node itself has signed is newer.
  Peer* const peer =
      learn({.credential = std::move(*credential), .relays = {}, .candidates = {}}, now);
  if (peer == nullptr) return;
  const RelayHint hint{relay.credential->signing_key, relay.path->bare()};
  std::vector<RelayHint>& hints = peer->relay_hints;
  if (std::ranges::find(hints, hint) == hints.end() && hints.size() <= NodeRecord::kMaxRelays)
    hints.insert(hints.begin(), hint);
  if (!peer->connected()) connect(*peer, now);
  schedule(*peer, now);
}

}  // namespace ipop::overlay
