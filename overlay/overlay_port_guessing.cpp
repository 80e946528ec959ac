// What guessing ports needs to know, and what is done with what it finds.
#include <algorithm>
#include <utility>

#include "overlay/overlay.hpp"

namespace ipop::overlay {

void Overlay::set_port_guessing(GuessingEffort effort, Now now) {
  now_ = now;
  guessing_.set_effort(effort, now.mono);
}

PortGuessing::Hooks Overlay::guessing_hooks() {
  return {.own = [this] { return guessing_self(); },
          .seen_at = [this](const Peer& peer) { return seen_at(peer); },
          .on_found =
              [this](Peer& peer, const Endpoint& source) {
                if (peer.connected() && peer.is_relayed()) paths_.ping(peer, source, now_.mono);
              }};
}

PortGuessing::Own Overlay::guessing_self() const {
  PortGuessing::Own own{
      .mapping = nat_.mappings().mapping(true), .port = settings_.port, .observers = {}};
  for (const Endpoint& seen : nat_.mappings().endpoints()) {
    if (!seen.address.is_v4()) continue;
    own.port = seen.port;
    break;
  }
  for (const auto& each : nat_.client().servers()) {
    if (each.answers && each.server.address.is_v4()) own.observers.push_back(each.server);
  }
  return own;
}

// Where the relay in use sees the peer: nobody on our side of our NAT, and no address of our own
// networks that a relay on the internet names.
std::optional<IpAddress> Overlay::seen_at(const Peer& peer) const {
  if (!peer.path) return std::nullopt;
  const Circuit* const circuit = circuits_.at(*peer.path);
  if (circuit == nullptr || !circuit->seen.is_v4()) return std::nullopt;
  const IpAddress& seen = circuit->seen;
  const bool ours = std::ranges::any_of(
      announcer_.candidates(), [&](const Candidate& own) { return own.endpoint.address == seen; });
  const bool near = rank_of({seen}, territory_.local()) == PathRank::kLan;
  const bool alien = seen.is_private() && !peer.path->address.is_private();
  const bool nobody =
      seen.is_loopback() || seen.is_link_local() || seen.is_multicast() || seen.is_unspecified();
  if (ours || near || alien || nobody || territory_.inside(seen)) return std::nullopt;
  return seen;
}

}  // namespace ipop::overlay
