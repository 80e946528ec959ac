#include "overlay/peer/lane_prober.hpp"

#include <sodium.h>

#include <algorithm>
#include <bit>

#include "base/log.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

// The session's first datagrams come along the path, so that the peer does not take a lane's port
// for it.
constexpr Duration kAfterSession = 200ms;
constexpr Duration kRetry = 300ms;
constexpr unsigned kTries = 3;
constexpr Duration kAgain = 10s;  // while data flows: a firewall may have changed its mind
constexpr Duration kAgainInVain = 60s;
// Not both ends at once.
constexpr Duration kResponderWaits = 400ms;

constexpr std::uint32_t bit(unsigned lane) {
  return std::uint32_t{1} << lane;
}

}  // namespace

std::uint32_t LaneProber::lanes_to_probe(const Peer& peer) const {
  const bool direct = peer.path && peer.path->label == 0 && peer.path->socket == 0;
  if (!direct || context_.sockets == nullptr || !peer.connected()) return 0;
  for (const Session& session : peer.sessions) {
    if (session.local != peer.current) continue;
    const unsigned lanes =
        std::min<unsigned>(session.send_lanes, context_.sockets->lane_ports() + 1);
    // All bits from 1 to lanes - 1.
    return static_cast<std::uint32_t>((std::uint64_t{1} << lanes) - 2);
  }
  return 0;
}

bool LaneProber::service(Peer& peer, Instant now) {
  LaneProbing& state = peer.lanes;
  const std::uint32_t lanes = lanes_to_probe(peer);
  if (!peer.path || state.path != *peer.path) {
    // The engine has forgotten ours with the path.
    state.path = peer.path.value_or(Endpoint{});
    state.in_use.ours = 0;
    state.wanted = 0;
    state.tries = 0;
    state.renew.reset();
    state.next = now + kAfterSession;
  }
  if (lanes == 0) {
    if (state.in_use.ours != 0) use(peer, 0, now);
    state.wanted = 0;
    return false;
  }
  if (now >= state.next) {
    if (state.wanted != 0) {
      state.tries == kTries ? end_round(peer, now) : probe(peer, now);
    } else if (state.tries == 0 ||
               activity_of(context_, peer).last_data_tx >= state.next - kAgain) {
      begin_round(state, lanes);
      probe(peer, now);
    }
  }
  if (!state.renew || now < *state.renew) return false;
  state.renew.reset();
  return true;
}

std::optional<Instant> LaneProber::deadline(const Peer& peer) const {
  const LaneProbing& state = peer.lanes;
  std::optional<Instant> due = state.renew;
  const bool unsettled = state.wanted != 0 || state.tries == 0 || state.path != peer.path;
  if (unsettled && lanes_to_probe(peer) != 0) due = due ? std::min(*due, state.next) : state.next;
  return due;
}

void LaneProber::begin_round(LaneProbing& state, std::uint32_t lanes) const {
  randombytes_buf(&state.token, sizeof state.token);
  state.wanted = lanes;
  state.heard = 0;
  state.tries = 0;
}

void LaneProber::probe(Peer& peer, Instant now) {
  LaneProbing& state = peer.lanes;
  ++state.tries;
  state.next = now + kRetry;
  for (std::uint32_t left = state.wanted & ~state.heard; left != 0; left &= left - 1) {
    const auto lane = static_cast<std::uint8_t>(std::countr_zero(left));
    Endpoint by = *peer.path;
    by.socket = engine::lane_socket(lane);
    context_.injector.send_sealed(
        peer.current, message::encode(message::LaneProbe{.lane = lane, .token = state.token}), by);
  }
}

void LaneProber::on_probe(Peer& peer, engine::ReceiverIndex session, const Endpoint& source,
                          const message::LaneProbe& probe) {
  LaneProbing& state = peer.lanes;
  if (source.label != 0 || source == peer.path) return;  // it says nothing of a port
  if ((state.in_use.theirs & bit(probe.lane)) == 0) {
    state.in_use.theirs |= bit(probe.lane);
    context_.table.set_lane_ports(peer.index, state.in_use);
  }
  context_.injector.send_sealed(
      session, message::encode(message::LaneHeard{.lane = probe.lane, .token = probe.token}));
}

void LaneProber::on_heard(Peer& peer, const message::LaneHeard& heard, Instant now) {
  LaneProbing& state = peer.lanes;
  if (heard.token != state.token || (state.wanted & bit(heard.lane)) == 0) return;
  state.heard |= bit(heard.lane);
  if (state.heard == state.wanted && state.path == peer.path) end_round(peer, now);
}

void LaneProber::end_round(Peer& peer, Instant now) {
  LaneProbing& state = peer.lanes;
  state.next = now + (state.heard == state.wanted ? kAgain : kAgainInVain);
  state.wanted = 0;
  if (state.heard != state.in_use.ours) use(peer, state.heard, now);
}

void LaneProber::use(Peer& peer, std::uint32_t ours, Instant now) {
  LaneProbing& state = peer.lanes;
  const bool more = (ours & ~state.in_use.ours) != 0;
  state.in_use.ours = ours;
  context_.table.set_lane_ports(peer.index, state.in_use);
  log::debug("{}: {} lanes have ports of their own", peer.display(), std::popcount(ours));
  const Session* const session = peer.session(peer.current);
  if (!more || session == nullptr) return;
  if (activity_of(context_, peer).last_data_tx == Instant{}) return;  // nothing is settled yet
  state.renew = now + (session->initiator ? Duration::zero() : kResponderWaits);
}

}  // namespace ipop::overlay
