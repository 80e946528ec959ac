#include "engine/path/decap.hpp"

#include <rte_prefetch.h>

#include <algorithm>

#include "engine/path/classify.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

bool is_control(std::uint8_t first) noexcept {
  return (first & 0xf0) == 0x10;
}

void count_data(Session& session, std::uint32_t bytes, Instant now) noexcept {
  session.received.data_packets.add(1);
  session.received.data_bytes.add(bytes);
  session.received.last_data.set(now);
}

bool is_ip(std::uint8_t first) noexcept {
  return (first >> 4) == 4 || (first >> 4) == 6;
}

}  // namespace

void Decap::wire_burst(std::span<rte_mbuf*> buffers, Instant now) noexcept {
  Sealed sealed;
  run_ = {};
  relay_.begin_burst(now);
  for (rte_mbuf*& buffer : buffers) {
    if (buffer->nb_segs != 1) [[unlikely]] {
      counters_.count(Fate::kDropWireMalformed);
      continue;
    }
    const std::uint32_t size = buffer->pkt_len;
    const std::uint32_t each = buffer->tso_segsz == 0 ? size : buffer->tso_segsz;
    std::uint32_t at = 0;
    do {
      const std::uint32_t length = std::min(each, size - at);
      sort(data_of(buffer) + at, length, meta(buffer).endpoint, sealed, now);
      at += length;
      if (sealed.count == kTogether) open(sealed, now);
    } while (at < size);
    if (relay_.end_buffer(buffer)) buffer = nullptr;
  }
  if (sealed.count != 0) open(sealed, now);
}

// Inline, like all below that is called for each packet: as functions of their own, each called in
// one place, they and the coalescer's took 7 of 82 ns that a packet of 64 bytes costs (pps).
inline void Decap::open(Sealed& sealed, Instant now) noexcept {
  find_sessions(sealed, now);
  aead_.open_burst({sealed.jobs.data(), sealed.count});
  for (std::size_t i = 0; i < sealed.count; ++i) {
    accept(sealed.datagrams[i], *sealed.sessions[i], sealed.jobs[i], now);
  }
  sealed.count = 0;
}

inline void Decap::sort(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                        Sealed& sealed, Instant now) noexcept {
  switch (classify({at, length})) {
    case WireKind::kData:
      take_data(at, length, source, sealed);
      break;
    case WireKind::kHandshake:
    case WireKind::kOverlay:
      punt({at, length}, source);
      break;
    case WireKind::kRelay:
      if (const Endpoint* const from = relay_.take(at, length, source, now)) {
        sort_relayed(at + kRelayHeader, length - kRelayHeader, *from, sealed);
      }
      break;
    case WireKind::kUnknown:
      counters_.count(Fate::kDropWireMalformed);
      break;
  }
}

void Decap::sort_relayed(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                         Sealed& sealed) noexcept {
  switch (classify({at, length})) {
    case WireKind::kData:
      take_data(at, length, source, sealed);
      break;
    case WireKind::kHandshake:
      punt({at, length}, source);
      break;
    default:
      counters_.count(Fate::kDropWireMalformed);
      break;
  }
}

inline void Decap::take_data(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                             Sealed& sealed) noexcept {
  // Fetched now, asked in find_sessions().
  rte_prefetch0(table_.sessions.at_slot(data_receiver(at)));
  sealed.datagrams[sealed.count++] = {.at = at, .length = length, .source = &source};
}

void Decap::punt(ByteView bytes, const Endpoint& source) noexcept {
  counters_.count(punts_.datagram(bytes, source) ? Fate::kPunted : Fate::kDropPuntFull);
}

inline void Decap::find_sessions(Sealed& sealed, Instant now) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sealed.count; ++i) {
    const Datagram datagram = sealed.datagrams[i];
    Session* const session = table_.sessions.find(data_receiver(datagram.at));
    if (session == nullptr) [[unlikely]] {
      counters_.count(Fate::kDropWireUnknownSession);
      continue;
    }
    if (now >= session->receive_until) [[unlikely]] {
      counters_.count(Fate::kDropWireExpired);
      continue;
    }
    rte_prefetch0(&session->receive_key);
    rte_prefetch0(&session->received);
    sealed.datagrams[kept] = datagram;
    sealed.sessions[kept] = session;
    sealed.jobs[kept] = {
        .key = &session->receive_key,
        .in = datagram.at + kDataHeader,
        .out = datagram.at + kDataHeader,
        .length = static_cast<std::uint32_t>(datagram.length - kDataHeader - kTagSize),
        .counter = data_counter(datagram.at)};
    ++kept;
  }
  sealed.count = kept;
}

inline void Decap::accept(const Datagram& datagram, Session& session, const AeadJob& job,
                          Instant now) noexcept {
  if (!job.ok) [[unlikely]] {
    counters_.count(Fate::kDropWireForged);
    return;
  }
  if (!session.received.replay.check_and_set(job.counter)) [[unlikely]] {
    counters_.count(Fate::kDropWireReplayed);
    return;
  }
  session.received.packets.add(1);
  session.received.last.set(now);
  if (!session.confirmed) [[unlikely]] {
    // Should the ring be full, the next datagram confirms.
    session.confirmed =
        punts_.event(PuntKind::kSessionConfirmed, session.peer, session.local, *datagram.source);
  }
  const Datagram text{.at = job.out, .length = job.length, .source = datagram.source};
  if (!continue_run(text, session, now)) handle_plaintext(text, session, now);
}

inline bool Decap::continue_run(const Datagram& text, Session& session, Instant now) noexcept {
  if (run_.session != &session || !host_.continue_flow(text.at, text.length)) return false;
  if (text.source != run_.source && *text.source != *run_.source) [[unlikely]] {
    const PeerView* const view = table_.peers.find(session.peer);
    if (view != nullptr) follow_path(*text.source, session, *view, now);
  }
  count_data(session, text.length, now);
  return true;
}

inline void Decap::handle_plaintext(const Datagram& text, Session& session, Instant now) noexcept {
  if (text.length == 0) [[unlikely]] {
    const PeerView* const view = table_.peers.find(session.peer);
    if (view != nullptr) follow_path(*text.source, session, *view, now);
    counters_.count(Fate::kKeepalive);
    return;
  }
  const std::uint8_t first = *text.at;
  const bool ipop = session.form == SessionForm::kIpop;
  if (is_ip(first) || (is_marked_partial(first) && ipop)) [[likely]] {
    handle_inner(text, session, now);
  } else if (is_control(first) && ipop) {
    const ByteView bytes(text.at, text.length);
    counters_.count(punts_.control(bytes, *text.source, session.peer, session.local)
                        ? Fate::kPunted
                        : Fate::kDropPuntFull);
  } else {
    counters_.count(Fate::kDropInnerMalformed);
  }
}

inline void Decap::handle_inner(const Datagram& text, Session& session, Instant now) noexcept {
  const bool partial = is_marked_partial(*text.at);
  if (partial) *text.at &= static_cast<std::uint8_t>(~kPartialBit);
  const ByteView bytes(text.at, text.length);
  const auto inner = parse_inner(bytes);
  const Transport transport = inner ? parse_transport(bytes, *inner) : Transport{};
  // A partial checksum must have a place.
  if (!inner || (partial && !transport)) [[unlikely]] {
    counters_.count(Fate::kDropInnerMalformed);
    return;
  }
  const std::uint32_t version = table_.peers.version(session.peer);
  const Session::Admitted& like = session.admitted;
  if (like.version != version || like.source != inner->source || like.from != *text.source) {
    if (!admit(inner->source, *text.source, version, session, now)) return;
  }
  count_data(session, inner->total_length, now);
  if (host_.deliver(text.at, *inner, transport, partial)) {
    run_ = {.session = &session, .source = text.source};
  }
}

bool Decap::admit(const IpAddress& inner_source, const Endpoint& from, std::uint32_t version,
                  Session& session, Instant now) noexcept {
  const PeerView* const view = table_.peers.find(session.peer);
  if (view == nullptr) {  // its peer is being removed
    counters_.count(Fate::kDropWireUnknownSession);
    return false;
  }
  follow_path(from, session, *view, now);
  const bool home = view->is_home(inner_source);
  if (!home && table_.routes.find(inner_source) != session.peer) {
    counters_.count(Fate::kDropSourceNotAllowed);
    return false;
  }
  // Other routes than the view's homes, and other paths than its own, are looked at each time.
  if (home && from == view->endpoint) {
    session.admitted = {.version = version, .source = inner_source, .from = from};
  }
  return true;
}

void Decap::follow_path(const Endpoint& source, Session& session, const PeerView& view,
                        Instant now) noexcept {
  if (source == view.endpoint) [[likely]]
    return;
  if (session.path_told != Instant{} && now - session.path_told < kPathEvery) {
    return;
  }
  if (punts_.event(PuntKind::kPathChanged, session.peer, session.local, source)) {
    session.path_told = now;
  }
}

}  // namespace ipop::engine
