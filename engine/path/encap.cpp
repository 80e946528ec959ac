#include "engine/path/encap.hpp"

#include <rte_prefetch.h>

#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/segment.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

// The host left a checksum to its card: the far end's host may have it so, any other gets it whole.
void settle_checksum(rte_mbuf* packet, const SendLane& lane) noexcept {
  if (lane.partial_checksums) {
    *data_of(packet) |= kPartialBit;
  } else {
    complete_checksum(bytes_of(packet).subspan(packet->l3_len), partial_checksum_offset(packet));
  }
}

}  // namespace

void Encap::host_burst(std::span<rte_mbuf*> frames, Instant now) noexcept {
  rte_mbuf* packets[kBurst];
  std::uint8_t runs[kBurst];  // which of the destinations below
  IpAddress destinations[kBurst];
  PeerIndex peers[kBurst];
  const PeerView* views[kBurst];
  std::size_t count = 0;
  std::size_t run_count = 0;

  gate_.begin_burst(now);
  host_.begin_burst();
  for (rte_mbuf* const frame : frames) {
    if (const Fate fate = host_.unwrap(frame); fate != Fate::kSent) [[unlikely]] {
      counters_.drop(frame, fate);
      continue;
    }
    if (run_count == 0 || !host_.same_destination())
      destinations[run_count++] = host_.destination();
    packets[count] = frame;
    runs[count++] = static_cast<std::uint8_t>(run_count - 1);
  }

  table_.routes.find_burst({destinations, run_count}, peers);
  for (std::size_t i = 0; i < run_count; ++i) {
    views[i] = table_.peers.find(peers[i]);
    rte_prefetch0(views[i]);
  }
  for (std::size_t i = 0; i < run_count; ++i) {
    if (views[i] == nullptr || views[i]->session == nullptr) continue;
    rte_prefetch0(&views[i]->session->sent);
    rte_prefetch0(&views[i]->session->send_key);
  }
  if (gate_.is_on() && run_count > 1) [[unlikely]]
    fetch_flows({packets, count}, {runs, count}, views);

  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t run = runs[i];
    const PeerView* const view = views[run];
    Session* const session = view == nullptr ? nullptr : view->usable(now);
    if (session == nullptr) [[unlikely]] {
      stage(packets[i], destinations[run], view == nullptr ? kNoPeer : peers[run], now);
      continue;
    }
    // What came before must go before.
    if (has_staged() && staging_.holds(destinations[run])) [[unlikely]] {
      release(destinations[run], *view, now);
    }
    SendLane* const lane = share_.lane_for(*session, packets[i]);
    if (lane == nullptr) [[unlikely]] {
      hand_over(packets[i], *session);
    } else if (lane->is_spent()) [[unlikely]] {
      stage(packets[i], destinations[run], peers[run], now);
    } else {
      forward(packets[i], *view, *lane, now);
    }
  }
  gate_.end_burst();
}

// Of many destinations each has a flow of its own, and none is at hand.
void Encap::fetch_flows(std::span<rte_mbuf* const> packets, std::span<const std::uint8_t> runs,
                        const PeerView* const* views) const noexcept {
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if ((i != 0 && runs[i] == runs[i - 1]) || views[runs[i]] == nullptr) continue;
    rte_prefetch0(&views[runs[i]]->marks);
    gate_.prefetch(data_of(packets[i]), packets[i]->pkt_len);
  }
}

// By the lcore that seals it, when the peer is known: what waits is judged when it goes on.
inline bool Encap::may_leave(rte_mbuf* packet, const PeerView& view, Instant now) noexcept {
  const std::uint32_t packets = packet_count(packet);
  const std::uint32_t length = packet->pkt_len;
  const firewall::StampedMarks& marks = view.marks[gate_.slot()];
  if (!gate_.continues(data_of(packet), length, marks.stamp)) {
    const Fate fate = gate_.judge(bytes_of(packet), marks, packets);
    if (fate != Fate::kSent) {
      if (fate == Fate::kDropFirewallOut)
        answers_.unreachable(packet, RejectReason::kProhibited, now);
      counters_.drop(packet, fate);
      return false;
    }
  }
  gate_.count(packets, length);
  return true;
}

// Inline for what a call costs: see decap.cpp.
inline void Encap::forward(rte_mbuf* packet, const PeerView& view, SendLane& lane,
                           Instant now) noexcept {
  if (gate_.is_on() && !may_leave(packet, view, now)) [[unlikely]]
    return;
  if (packet->tso_segsz != 0) {
    forward_super(packet, view, lane, now);
    return;
  }
  if (packet->pkt_len > view.room()) [[unlikely]] {
    answers_.too_big(packet, view.room(), now);
    counters_.drop(packet, Fate::kDropHostTooBig);
    return;
  }
  if ((packet->ol_flags & kPartialChecksum) != 0) settle_checksum(packet, lane);
  Endpoint own;
  wire_.seal_data(packet, lane, view.endpoint_of(lane, own), view.room(), now);
}

void Encap::forward_super(rte_mbuf* packet, const PeerView& view, SendLane& lane,
                          Instant now) noexcept {
  const auto inner = parse_inner(bytes_of(packet));
  const auto super = inner ? SuperPacket::of(packet, *inner) : std::nullopt;
  if (!super) [[unlikely]] {
    counters_.drop(packet, Fate::kDropHostMalformed);
    return;
  }
  if (super->headers() + super->payload(0) > view.room()) [[unlikely]] {
    answers_.too_big(packet, view.room(), now);
    counters_.drop(packet, Fate::kDropHostTooBig);
    return;
  }
  Endpoint own;
  wire_.seal_super(packet, *super, lane, view.endpoint_of(lane, own), view.room(), now);
}

void Encap::hand_over(rte_mbuf* packet, const Session& session) noexcept {
  const unsigned to = share_.lcore_for(session, packet);
  HostPackets::wrap_again(packet);
  if (!handover_.give_frame(to, packet)) [[unlikely]] {
    counters_.drop(packet, Fate::kDropHandoverFull);
    return;
  }
  counters_.handed_over.add(1);
}

void Encap::stage(rte_mbuf* packet, const IpAddress& destination, PeerIndex peer,
                  Instant now) noexcept {
  if (!staging_.push(packet, destination, now)) counters_.drop(packet, Fate::kDropStagingFull);
  // Even for what found no room: a host that scans must not hide all other destinations.
  ask(destination, peer, now);
  counters_.staged.set(staging_.wire_packets());
}

void Encap::ask(const IpAddress& destination, PeerIndex peer, Instant now) noexcept {
  if (!staging_.should_ask(destination, now)) return;
  // A full ring loses the question; it is asked again.
  (void)(peer == kNoPeer ? punts_.resolve(destination) : punts_.need_session(peer, destination));
}

void Encap::release(const IpAddress& destination, const PeerView& view, Instant now) noexcept {
  while (Session* const session = view.usable(now)) {
    rte_mbuf* const packet = staging_.first(destination);
    if (packet == nullptr) break;
    SendLane* const lane = share_.lane_for(*session, packet);
    // It may be spent half way.
    if (lane != nullptr && lane->is_spent()) break;
    (void)staging_.pop(destination);
    if (lane == nullptr) {
      hand_over(packet, *session);
    } else {
      forward(packet, view, *lane, now);
    }
  }
  counters_.staged.set(staging_.wire_packets());
}

void Encap::retry_staged(Instant now) noexcept {
  gate_.begin_burst(now);
  staging_.for_each_destination([&](const IpAddress& destination) {
    const PeerView* const view = table_.peers.find(table_.routes.find(destination));
    if (view != nullptr) release(destination, *view, now);
  });
  gate_.end_burst();
}

void Encap::reject_staged(const IpAddress& address, RejectReason reason, Instant now) noexcept {
  while (rte_mbuf* const packet = staging_.pop(address)) {
    answers_.unreachable(packet, reason, now);
    counters_.drop(packet, Fate::kDropUnreachable);
  }
  counters_.staged.set(staging_.wire_packets());
}

void Encap::expire(Instant now) noexcept {
  while (rte_mbuf* const packet = staging_.pop_expired(now)) {
    counters_.drop(packet, Fate::kDropStagingExpired);
  }
  counters_.staged.set(staging_.wire_packets());
}

void Encap::tick(Instant now) noexcept {
  if (!has_staged()) return;
  expire(now);
  gate_.begin_burst(now);
  staging_.for_each_destination([&](const IpAddress& destination) {
    const PeerIndex peer = table_.routes.find(destination);
    const PeerView* const view = table_.peers.find(peer);
    if (view != nullptr) release(destination, *view, now);
    if (staging_.holds(destination)) ask(destination, view == nullptr ? kNoPeer : peer, now);
  });
  gate_.end_burst();
}

}  // namespace ipop::engine
