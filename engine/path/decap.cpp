#include "engine/path/decap.hpp"

#include <rte_prefetch.h>

#include "engine/path/classify.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

bool is_control(std::uint8_t first) noexcept {
  return (first & 0xf0) == 0x10;
}

bool is_ip(std::uint8_t first) noexcept {
  return (first >> 4) == 4 || (first >> 4) == 6;
}

}  // namespace

void Decap::wire_burst(std::span<rte_mbuf*> datagrams, Instant now) noexcept {
  Sealed sealed;
  sort(datagrams, sealed);
  if (sealed.count == 0) return;
  find_sessions(sealed, now);
  aead_.open_burst({sealed.jobs.data(), sealed.count});
  for (std::size_t i = 0; i < sealed.count; ++i) {
    accept(sealed.packets[i], *sealed.sessions[i], sealed.jobs[i], now);
  }
}

void Decap::sort(std::span<rte_mbuf*> datagrams, Sealed& sealed) noexcept {
  for (rte_mbuf* const datagram : datagrams) {
    if (datagram->nb_segs != 1) {
      counters_.drop(datagram, Fate::kDropWireMalformed);
      continue;
    }
    switch (classify(bytes_of(datagram))) {
      case WireKind::kData:
        // Fetched now, asked in find_sessions().
        rte_prefetch0(table_.sessions.at_slot(data_receiver(data_of(datagram))));
        sealed.packets[sealed.count++] = datagram;
        break;
      case WireKind::kOverlay:
        punt(datagram);
        break;
      case WireKind::kRelay:
        counters_.drop(datagram, Fate::kDropRelay);
        break;
      case WireKind::kUnknown:
        counters_.drop(datagram, Fate::kDropWireMalformed);
        break;
    }
  }
}

void Decap::punt(rte_mbuf* datagram) noexcept {
  if (punts_.datagram(datagram)) {
    counters_.count(Fate::kPunted);
  } else {
    counters_.drop(datagram, Fate::kDropPuntFull);
  }
}

void Decap::find_sessions(Sealed& sealed, Instant now) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sealed.count; ++i) {
    rte_mbuf* const packet = sealed.packets[i];
    std::uint8_t* const at = data_of(packet);
    Session* const session = table_.sessions.find(data_receiver(at));
    if (session == nullptr) [[unlikely]] {
      counters_.drop(packet, Fate::kDropWireUnknownSession);
      continue;
    }
    if (now >= session->receive_until) [[unlikely]] {
      counters_.drop(packet, Fate::kDropWireExpired);
      continue;
    }
    rte_prefetch0(&session->receive_key);
    rte_prefetch0(&session->received);
    sealed.packets[kept] = packet;
    sealed.sessions[kept] = session;
    sealed.jobs[kept] = {
        .key = &session->receive_key,
        .in = at + kDataHeader,
        .out = at + kDataHeader,
        .length = static_cast<std::uint32_t>(packet->pkt_len - kDataHeader - kTagSize),
        .counter = data_counter(at)};
    ++kept;
  }
  sealed.count = kept;
}

void Decap::accept(rte_mbuf* packet, Session& session, const AeadJob& job, Instant now) noexcept {
  if (!job.ok) [[unlikely]] {
    counters_.drop(packet, Fate::kDropWireForged);
    return;
  }
  if (!session.replay.check_and_set(job.counter)) [[unlikely]] {
    counters_.drop(packet, Fate::kDropWireReplayed);
    return;
  }
  session.received.packets.add(1);
  session.received.last.set(now);
  if (!session.received.confirmed) [[unlikely]] {
    // Should the ring be full, the next datagram confirms.
    session.received.confirmed = punts_.event(PuntKind::kSessionConfirmed, session.peer,
                                              session.local, meta(packet).endpoint);
  }
  cut_front(packet, kDataHeader);
  set_length(packet, job.length);
  handle_plaintext(packet, session, now);
}

void Decap::handle_plaintext(rte_mbuf* packet, Session& session, Instant now) noexcept {
  const PeerView* const view = table_.peers.find(session.peer);
  if (view == nullptr) [[unlikely]] {  // its peer is being removed
    counters_.drop(packet, Fate::kDropWireUnknownSession);
    return;
  }
  if (packet->pkt_len == 0) [[unlikely]] {
    follow_path(packet, session, *view, now);
    counters_.drop(packet, Fate::kKeepalive);
    return;
  }
  const std::uint8_t first = *data_of(packet);
  if (is_ip(first)) [[likely]] {
    handle_inner(packet, session, *view, now);
  } else if (is_control(first) && session.form == SessionForm::kIpop) {
    if (punts_.control(packet, session.peer, session.local)) {
      counters_.count(Fate::kPunted);
    } else {
      counters_.drop(packet, Fate::kDropPuntFull);
    }
  } else {
    counters_.drop(packet, Fate::kDropInnerMalformed);
  }
}

void Decap::handle_inner(rte_mbuf* packet, Session& session, const PeerView& view,
                         Instant now) noexcept {
  const auto inner = parse_inner(bytes_of(packet));
  if (!inner) [[unlikely]] {
    counters_.drop(packet, Fate::kDropInnerMalformed);
    return;
  }
  follow_path(packet, session, view, now);
  if (!view.is_home(inner->source) && table_.routes.find(inner->source) != session.peer)
      [[unlikely]] {
    counters_.drop(packet, Fate::kDropSourceNotAllowed);
    return;
  }
  session.received.data_packets.add(1);
  session.received.data_bytes.add(inner->total_length);
  session.received.last_data.set(now);
  set_length(packet, inner->total_length);
  host_.deliver(packet, inner->source);
}

void Decap::follow_path(rte_mbuf* packet, Session& session, const PeerView& view,
                        Instant now) noexcept {
  if (meta(packet).endpoint == view.endpoint) [[likely]]
    return;
  if (session.received.path_told != Instant{} && now - session.received.path_told < kPathEvery) {
    return;
  }
  if (punts_.event(PuntKind::kPathChanged, session.peer, session.local, meta(packet).endpoint)) {
    session.received.path_told = now;
  }
}

}  // namespace ipop::engine
