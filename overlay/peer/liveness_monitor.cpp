#include "overlay/peer/liveness_monitor.hpp"

#include <algorithm>

#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPingAfter = 500ms;  // of sending data and hearing nothing
// While it stays so, twice the round trip between these.
constexpr Duration kShortestInterval = 250ms;
constexpr Duration kLongestInterval = 1s;
constexpr Duration kDeadAfter = 2500ms;  // of it, and
constexpr unsigned kDeadPings = 3;       // so many pings without an answer
constexpr Duration kRttInterval = 10s;   // under traffic, to keep the figure honest
constexpr Duration kOldestPong = 60s;
// The NATs and firewalls on a direct path forget what was quiet for half a minute, some of them.
constexpr Duration kNatMemory = 25s;

Duration answer_time(const Liveness& live) {
  return std::clamp<Duration>(2 * live.rtt.value_or(Duration::zero()), kShortestInterval,
                              kLongestInterval);
}

}  // namespace

LivenessMonitor::Verdict LivenessMonitor::service(Peer& peer, Instant now) {
  const engine::SessionActivity activity = activity_of(context_, peer);
  peer.last_heard = std::max(peer.last_heard, activity.last_rx);
  keep_alive(peer, activity, now);
  return judge(peer, activity, now);
}

// WireGuard's passive keepalive (paper §6.5): who received data and had nothing to send says so, so
// that silence always means trouble. The persistent one, for peers that ask for it; and one that
// keeps a direct path open for as long as the session lasts.
void LivenessMonitor::keep_alive(Peer& peer, const engine::SessionActivity& activity, Instant now) {
  Liveness& live = peer.liveness;
  if (activity.last_data_rx <= activity.last_tx) {
    live.keepalive_due.reset();
  } else if (!live.keepalive_due) {
    live.keepalive_due = activity.last_data_rx + context_.timers.keepalive_timeout;
  }
  const Duration persistent =
      peer.configured ? peer.configured->persistent_keepalive : Duration::zero();
  const bool persistent_due = persistent > Duration::zero() && now - activity.last_tx >= persistent;
  const bool nat_due = peer.form == handshake::Form::kIpop && peer.path && !peer.is_relayed() &&
                       now - activity.last_tx >= kNatMemory;
  if (persistent_due || nat_due || (live.keepalive_due && now >= *live.keepalive_due)) {
    live.keepalive_due.reset();
    context_.injector.send_sealed(peer.current, {});
  }
}

LivenessMonitor::Verdict LivenessMonitor::judge(Peer& peer, const engine::SessionActivity& activity,
                                                Instant now) {
  Liveness& live = peer.liveness;
  // Heard since: under bulk load something newer has always just been sent.
  const bool heard = live.unanswered && activity.last_rx >= *live.unanswered;
  if (heard || activity.last_data_tx <= activity.last_rx) {
    live.unanswered.reset();
    live.pings_unanswered = 0;
    live.in_doubt = false;
  } else if (!live.unanswered) {
    live.unanswered = activity.last_data_tx;
  }
  if (peer.form == handshake::Form::kWireGuard) {
    const Duration limit = context_.timers.keepalive_timeout + context_.timers.rekey_timeout;
    const bool silent = live.unanswered && now - *live.unanswered >= limit;
    if (silent) live.unanswered.reset();
    return silent ? Verdict::kSilent : Verdict::kWell;
  }
  const bool since_ping = !live.ping_sent || now - *live.ping_sent >= answer_time(live);
  if (live.unanswered && now - *live.unanswered >= kPingAfter && since_ping) {
    if (now - *live.unanswered >= kDeadAfter && live.pings_unanswered >= kDeadPings) {
      live.unanswered.reset();
      live.pings_unanswered = 0;
      return Verdict::kSilent;
    }
    // Whoever has nothing to say to what we send answers the first ping.
    live.in_doubt = live.pings_unanswered != 0;
    ++live.pings_unanswered;
    send_ping(peer, now);
    return live.in_doubt ? Verdict::kDoubtful : Verdict::kWell;
  } else if (now - activity.last_data_tx < kRttInterval &&
             (!live.ping_sent || now - *live.ping_sent >= kRttInterval)) {
    send_ping(peer, now);
  }
  return Verdict::kWell;
}

std::uint32_t LivenessMonitor::send_ping(Peer& peer, Instant now, std::optional<Endpoint> via) {
  const message::Ping ping{++peer.liveness.sequence,
                           static_cast<std::uint64_t>(now.time_since_epoch().count())};
  peer.liveness.pings[ping.sequence % Liveness::kPings] = now;
  if (!via) peer.liveness.ping_sent = now;
  context_.injector.send_sealed(peer.current, message::encode(ping), via);
  return ping.sequence;
}

void LivenessMonitor::on_ping(Peer& peer, engine::ReceiverIndex session, const Endpoint& source,
                              const message::Ping& ping) {
  const engine::ReceiverIndex answer_with = peer.connected() ? peer.current : session;
  context_.injector.send_sealed(
      answer_with,
      message::encode(
          // Where a relay stands is not where the peer is.
          message::Pong{ping.sequence, ping.time, source.label == 0 ? source : Endpoint{}}),
      source);
}

std::optional<Duration> LivenessMonitor::on_pong(Peer& peer, const Endpoint& source,
                                                 const message::Pong& pong, Instant now) {
  // The peer is authentic, but what it echoes may be anything.
  const std::uint32_t age = peer.liveness.sequence - pong.sequence;
  const Instant sent = peer.liveness.pings[pong.sequence % Liveness::kPings];
  if (age >= Liveness::kPings || sent == Instant{} || now - sent > kOldestPong ||
      pong.time != static_cast<std::uint64_t>(sent.time_since_epoch().count())) {
    ++context_.counters.control_malformed;
    return std::nullopt;
  }
  const Duration rtt = now - sent;
  peer.last_heard = std::max(peer.last_heard, now);
  if (peer.path == source) {
    std::optional<Duration>& smoothed = peer.liveness.rtt;
    smoothed = smoothed ? (*smoothed * 7 + rtt) / 8 : rtt;
    peer.observed = pong.observed;
  }
  return rtt;
}

void LivenessMonitor::reset(Peer& peer) {
  peer.liveness = Liveness{.pings = peer.liveness.pings, .sequence = peer.liveness.sequence};
}

}  // namespace ipop::overlay
