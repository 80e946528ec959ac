#include "engine/path/encap.hpp"

#include <rte_prefetch.h>

#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/segment.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint64_t kPartialChecksum = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
// The two are values of one field, and share a bit.
static_assert((kPartialChecksum & RTE_MBUF_F_TX_L4_MASK) == kPartialChecksum);

std::uint32_t checksum_offset(const rte_mbuf* packet) noexcept {
  return (packet->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM ? 6 : 16;
}

// Once for a packet: a partial checksum that the far end could not find again is made whole, and
// its mark goes. False if the mark points outside what IP says is the payload: the port looked no
// further than at the frame, which may have padding.
[[nodiscard]] bool check_partial(rte_mbuf* packet, const InnerPacket& inner) noexcept {
  const MutableBytes bytes = bytes_of(packet);
  const std::uint32_t offset = checksum_offset(packet);
  if (packet->l3_len < inner.header_length || packet->l3_len + offset + 2 > bytes.size()) {
    return false;
  }
  const Transport transport = parse_transport(bytes, inner);
  if (transport && transport.start == packet->l3_len && transport.checksum_offset() == offset) {
    return true;
  }
  complete_checksum(bytes.subspan(packet->l3_len), offset);
  packet->ol_flags &= ~kPartialChecksum;
  return true;
}

// The host left a checksum to its card: the far end's host may have it so, any other gets it whole.
void settle_checksum(rte_mbuf* packet, const Session& session) noexcept {
  if (session.partial_checksums) {
    *data_of(packet) |= kPartialBit;
  } else {
    complete_checksum(bytes_of(packet).subspan(packet->l3_len), checksum_offset(packet));
  }
}

// Strips the Ethernet header and trailing padding. kSent means: go on with it.
Fate unwrap(rte_mbuf* frame, IpAddress& destination) noexcept {
  if (frame->nb_segs != 1) [[unlikely]]
    return Fate::kDropHostMalformed;
  const FrameKind kind = classify_frame(bytes_of(frame));
  switch (kind) {
    case FrameKind::kTruncated:
      return Fate::kDropHostMalformed;
    case FrameKind::kNotIp:
      return Fate::kDropHostNotIp;
    case FrameKind::kMulticast:
      return Fate::kDropHostMulticast;
    case FrameKind::kIpv4:
    case FrameKind::kIpv6:
      break;
  }
  cut_front(frame, kEthernetHeader);
  frame->l2_len = 0;
  const auto inner = parse_inner(bytes_of(frame));
  if (!inner || (inner->version == 4) != (kind == FrameKind::kIpv4)) {
    return Fate::kDropHostMalformed;
  }
  if (inner->destination.is_multicast()) return Fate::kDropHostMulticast;
  // A super-packet has no padding, and the count of its segments hangs on its length.
  if (frame->tso_segsz != 0 && inner->total_length != frame->pkt_len) {
    return Fate::kDropHostMalformed;
  }
  set_length(frame, inner->total_length);
  const bool partial = (frame->ol_flags & kPartialChecksum) != 0;
  if (partial && frame->tso_segsz == 0 && !check_partial(frame, *inner)) {
    return Fate::kDropHostMalformed;
  }
  destination = inner->destination;
  return Fate::kSent;
}

}  // namespace

void Encap::host_burst(std::span<rte_mbuf*> frames, Instant now) noexcept {
  rte_mbuf* packets[kBurst];
  IpAddress destinations[kBurst];
  PeerIndex peers[kBurst];
  const PeerView* views[kBurst];
  std::size_t count = 0;

  for (rte_mbuf* const frame : frames) {
    const Fate fate = unwrap(frame, destinations[count]);
    if (fate != Fate::kSent) {
      counters_.drop(frame, fate);
    } else {
      packets[count++] = frame;
    }
  }

  table_.routes.find_burst({destinations, count}, peers);
  for (std::size_t i = 0; i < count; ++i) {
    views[i] = table_.peers.find(peers[i]);
    rte_prefetch0(views[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (views[i] == nullptr || views[i]->session == nullptr) continue;
    rte_prefetch0(&views[i]->session->sent);
    rte_prefetch0(&views[i]->session->send_key);
  }

  for (std::size_t i = 0; i < count; ++i) {
    Session* const session = views[i] == nullptr ? nullptr : views[i]->usable(now);
    if (session == nullptr) [[unlikely]] {
      stage(packets[i], destinations[i], views[i] == nullptr ? kNoPeer : peers[i], now);
      continue;
    }
    // What came before must go before.
    if (has_staged() && staging_.holds(destinations[i])) [[unlikely]] {
      release(destinations[i], *views[i], now);
    }
    forward(packets[i], *views[i], *session, now);
  }
}

void Encap::forward(rte_mbuf* packet, const PeerView& view, Session& session,
                    Instant now) noexcept {
  if (packet->tso_segsz != 0) {
    forward_super(packet, view, session, now);
    return;
  }
  if (packet->pkt_len > view.room()) [[unlikely]] {
    answers_.too_big(packet, view.room(), now);
    counters_.drop(packet, Fate::kDropHostTooBig);
    return;
  }
  if ((packet->ol_flags & kPartialChecksum) != 0) settle_checksum(packet, session);
  wire_.seal_data(packet, session, view.endpoint, view.room(), now);
}

void Encap::forward_super(rte_mbuf* packet, const PeerView& view, Session& session,
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
  wire_.seal_super(packet, *super, session, view.endpoint, view.room(), now);
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
  // The session may be spent half way.
  while (Session* const session = view.usable(now)) {
    rte_mbuf* const packet = staging_.pop(destination);
    if (packet == nullptr) break;
    forward(packet, view, *session, now);
  }
  counters_.staged.set(staging_.wire_packets());
}

void Encap::retry_staged(Instant now) noexcept {
  staging_.for_each_destination([&](const IpAddress& destination) {
    const PeerView* const view = table_.peers.find(table_.routes.find(destination));
    if (view != nullptr) release(destination, *view, now);
  });
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
  staging_.for_each_destination([&](const IpAddress& destination) {
    const PeerIndex peer = table_.routes.find(destination);
    const PeerView* const view = table_.peers.find(peer);
    if (view != nullptr && view->usable(now) != nullptr) {
      release(destination, *view, now);
    } else {
      ask(destination, view == nullptr ? kNoPeer : peer, now);
    }
  });
}

}  // namespace ipop::engine
