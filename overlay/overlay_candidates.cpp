// Where this node may be reached, as others are told, and where they say that they may be.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "overlay/overlay.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kInvitedWithin = 5min;  // peers heard that recently learn where we are now
constexpr unsigned kMostInvitations = 64;
constexpr Duration kInviteEvery = 500ms;
constexpr Duration kInviteAfter = 250ms;

}  // namespace

void Overlay::set_local_addresses(std::vector<Prefix> addresses, Now now) {
  now_ = now;
  if (addresses == territory_.local()) return;
  territory_.set_local(std::move(addresses));
  std::vector<Endpoint> local;
  for (const Prefix& prefix : territory_.local()) {
    if (listens_at(prefix.address)) local.push_back({prefix.address, settings_.port});
  }
  nat_.set_local(std::move(local), now.mono);
  if (started_ == Instant{}) return;
  lan_.introduce(now.mono);
  peers_.for_each([&](Peer& peer) {
    if (!peer.connected()) return;
    // Whatever we sent from may be gone: a keepalive from where we are now lets the peer follow.
    context_.injector.send_sealed(peer.current, {});
    if (peer.form == handshake::Form::kIpop) liveness_.send_ping(peer, now.mono);
  });
}

bool Overlay::listens_at(const IpAddress& address) const {
  const auto covers = [&](const Endpoint& at) {
    return at.address == address ||
           (at.address.is_unspecified() && at.address.is_v4() == address.is_v4());
  };
  return settings_.listen.empty() || std::ranges::any_of(settings_.listen, covers);
}

// An address of our own of this family: without, nothing of it can be sent.
bool Overlay::has_family(bool v4) const {
  return std::ranges::any_of(territory_.local(), [&](const Prefix& own) {
    return own.address.is_v4() == v4 && listens_at(own.address);
  });
}

void Overlay::on_network_change(Now now) {
  now_ = now;
  if (started_ == Instant{}) return;
  nat_.ask_again(now.mono);
  unsigned pings = 0;
  peers_.for_each([&](Peer& peer) {
    if (!peer.connected() || peer.form != handshake::Form::kIpop || pings == kMostInvitations)
      return;
    if (now.mono - peer.last_heard > kInvitedWithin) return;
    ++pings;
    liveness_.send_ping(peer, now.mono);
  });
}

void Overlay::set_lan_sender(std::function<void(ByteView)> send) {
  lan_.set_sender(std::move(send));
}

void Overlay::on_lan(ByteView datagram, Now now) {
  now_ = now;
  lan_.on_datagram(datagram, now);
}

void Overlay::set_stun_servers(const std::vector<Endpoint>& servers, Now now) {
  now_ = now;
  std::vector<Endpoint> outside;
  std::ranges::copy_if(servers, std::back_inserter(outside),
                       [&](const Endpoint& server) { return !territory_.inside(server.address); });
  nat_.set_servers(outside, now.mono);
}

void Overlay::set_port_mapping(PortMapping mapping, Now now) {
  now_ = now;
  if (mapping.usable() && mapping.outside != port_mapping_.outside) {
    log::info("the router forwards {} to this node ({})", mapping.outside->to_string(),
              mapping.protocol);
  } else if (port_mapping_.usable() && !mapping.usable()) {
    log::info("the router no longer forwards {}: {}", port_mapping_.outside->to_string(),
              mapping.why);
  }
  port_mapping_ = std::move(mapping);
  announce_candidates(now);
  if (started_ != Instant{}) set_reach(now);
}

// The router's word comes first: unlike what others see, it holds for all who send there.
std::vector<Endpoint> Overlay::outside_endpoints() const {
  std::vector<Endpoint> outside = nat_.mappings().endpoints();
  if (port_mapping_.usable()) {
    std::erase(outside, *port_mapping_.outside);
    outside.insert(outside.begin(), *port_mapping_.outside);
  }
  return outside;
}

// What others see of us comes behind what we see ourselves.
std::vector<Candidate> Overlay::own_candidates() const {
  std::vector<Candidate> candidates;
  const std::vector<Endpoint> mapped = outside_endpoints();
  for (const Prefix& prefix : territory_.local()) {
    if (candidates.size() + mapped.size() >= message::kMaxCandidates) break;
    if (!listens_at(prefix.address)) continue;
    candidates.push_back(
        {{prefix.address, settings_.port},
         prefix.address.is_private() ? CandidateKind::kLan : CandidateKind::kRouted});
  }
  for (const Endpoint& endpoint : mapped)
    candidates.push_back({endpoint, CandidateKind::kMapped});
  return candidates;
}

// Wherever we may be reached has changed: the directory and our peers are told. If an endpoint is
// no longer ours, what we send to peers may not reach them, as their NATs do not know where it
// comes from now: an invitation makes them send first. It waits a little for what STUN servers say.
void Overlay::announce_candidates(Now now) {
  if (started_ == Instant{}) return;
  const std::vector<Candidate> candidates = own_candidates();
  if (candidates == announcer_.candidates()) return;
  announcer_.set_candidates(candidates, now);
  if (candidates.empty()) return;  // between two networks: nobody can be told
  const bool moved = !std::ranges::all_of(
      told_, [&](const Candidate& old) { return names(candidates, old.endpoint); });
  told_ = candidates;
  peers_.for_each([&](Peer& peer) {
    if (peer.connected() && peer.form == handshake::Form::kIpop) send_candidates(peer);
  });
  if (moved) {
    invitations_due_ = now.mono + kInviteAfter;
    relays_.check(now.mono);  // they pass on what comes from where they last heard us
  }
  if (invitations_due_ && !nat_.mappings().endpoints().empty()) invite_peers(now);
}

void Overlay::invite_peers(Now now) {
  invitations_due_.reset();
  unsigned invitations = 0;
  peers_.for_each([&](Peer& peer) {
    if (!peer.connected() || peer.form != handshake::Form::kIpop) return;
    if (now.mono - peer.last_heard > kInvitedWithin || invitations == kMostInvitations) return;
    ++invitations;
    if (!invite(peer, now)) invitations_due_ = now.mono + kInviteEvery;
  });
}

// False: so soon after the last one that it has to wait.
bool Overlay::invite(Peer& peer, Now now) {
  if (!peer.credential) return true;
  if (peer.last_rendezvous && now.mono - *peer.last_rendezvous <= kInviteEvery) return false;
  peer.last_rendezvous = now.mono;
  announcer_.invite(*peer.node_id(), now);
  return true;
}

void Overlay::set_candidates(Peer& peer, const std::vector<Candidate>& candidates) {
  peer.candidates.clear();
  for (const Candidate& candidate : candidates) {
    const IpAddress& address = candidate.endpoint.address;
    if (names(announcer_.candidates(), candidate.endpoint) || territory_.inside(address) ||
        candidate.endpoint.port == 0 || address.is_unspecified() || address.is_multicast() ||
        address.is_loopback()) {
      continue;
    }
    peer.candidates.push_back(candidate);
  }
}

void Overlay::send_candidates(Peer& peer) {
  context_.injector.send_sealed(peer.current,
                                message::encode(message::Candidates{announcer_.candidates()}));
}

}  // namespace ipop::overlay
