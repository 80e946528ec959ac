// What the overlay does for the host: finds who holds an address, opens sessions when packets wait
// for one, and says so when nobody can be reached.
#include <algorithm>
#include <utility>

#include "overlay/overlay.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxWaiting = 64;

}  // namespace

// By the directory, and by our relays and links, which may be quicker.
bool Overlay::resolve(const IpAddress& address, Now now) {
  const bool fresh = !resolver_.resolving(address);
  if (!resolver_.resolve(address, now)) return false;
  if (fresh) {
    ask_relays_for({address}, false);
    lan_.ask(address, now.mono);
  }
  return true;
}

void Overlay::on_resolve(const IpAddress& address, Now now) {
  const auto inside = [&](const Prefix& subnet) { return subnet.contains(address); };
  if (std::ranges::none_of(settings_.subnets, inside) || !resolve(address, now)) {
    context_.injector.reject_staged(address, engine::RejectReason::kHostUnreachable);
  }
}

void Overlay::on_unreachable(const IpAddress& address) {
  context_.injector.reject_staged(address, engine::RejectReason::kHostUnreachable);
  pings_.fail(address, "no node with this address answers");
  Peer* peer = peers_.by_address(address);
  if (peer != nullptr && !peer->connected()) {
    tell_host(*peer, engine::RejectReason::kHostUnreachable);
  }
}

void Overlay::on_need_session(Peer& peer, const IpAddress& address, Now now) {
  expire_sessions(context_, peer, now.mono);
  if (peer.connected() && !peer.refused) {
    // It came up while the punt was under way; or the peer does not admit us yet, and will say so.
    if (peer.admits_us) context_.injector.retry_staged();
    return;
  }
  if (!address.is_unspecified() && peer.waiting.size() < kMaxWaiting &&
      std::ranges::find(peer.waiting, address) == peer.waiting.end()) {
    peer.waiting.push_back(address);
  }
  if (peer.refused && now.mono - peer.refused_at < 5s) {
    tell_host(peer, engine::RejectReason::kProhibited);
    return;
  }
  connect(peer, now);
  if (peer.connecting && peer.connecting->told_host) {
    tell_host(peer, engine::RejectReason::kHostUnreachable);
  }
}

void Overlay::tell_host(Peer& peer, engine::RejectReason reason) {
  for (const IpAddress& address : std::exchange(peer.waiting, {})) {
    context_.injector.reject_staged(address, reason);
    pings_.fail(address, peer.refused ? *peer.refused : "no node with this address answers");
  }
}

void Overlay::ping(const IpAddress& address, Now now, PingService::OnResult done) {
  now_ = now;
  PingService::Pending ping{.address = address,
                            .sequence = std::nullopt,
                            .deadline = now.mono + PingService::kTimeout,
                            .done = std::move(done)};
  Peer* peer = peers_.by_address(address);
  if (peer != nullptr && peer->form == handshake::Form::kWireGuard) {
    ping.done({.error = "a plain WireGuard peer: it cannot answer; use ping(8)"});
    return;
  }
  if (peer != nullptr && peer->connected()) {
    ping.peer = peer->index;
    ping.sequence = liveness_.send_ping(*peer, now.mono);
    pings_.add(std::move(ping));
    return;
  }
  pings_.add(std::move(ping));
  if (peer != nullptr) {
    on_need_session(*peer, address, now);
  } else if (!resolve(address, now)) {
    on_unreachable(address);
  }
}

}  // namespace ipop::overlay
