#include "engine/path/decap.hpp"

#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>

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

void count_data(ReceiveLane& lane, std::uint32_t bytes, Instant now) noexcept {
  lane.received.data_packets.add(1);
  lane.received.data_bytes.add(bytes);
  lane.received.last_data.set(now);
}

// Of a datagram within its lane.
std::uint64_t number_within(const ReceiveLane& lane, std::uint64_t counter) noexcept {
  return lane.lanes == 1 ? counter : counter & kLaneCounterMask;
}

bool is_ip(std::uint8_t first) noexcept {
  return (first >> 4) == 4 || (first >> 4) == 6;
}

}  // namespace

void Decap::wire_burst(std::span<rte_mbuf*> buffers, Instant now) noexcept {
  Sealed sealed;
  run_ = {};
  gate_.begin_burst(now);
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
  gate_.end_burst();
}

// Inline, like all below that is called for each packet: as functions of their own, each called in
// one place, they and the coalescer's took 7 of 82 ns that a packet of 64 bytes costs (pps).
inline void Decap::open(Sealed& sealed, Instant now) noexcept {
  find_sessions(sealed, now);
  aead_.open_burst({sealed.jobs.data(), sealed.count});
  if (gate_.is_on()) [[unlikely]]
    fetch_flows(sealed);
  for (std::size_t i = 0; i < sealed.count; ++i) {
    accept(sealed.datagrams[i], *sealed.lanes[i], sealed.jobs[i], now);
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

inline ReceiveLane* Decap::lane_of(Session& session, std::uint64_t counter) noexcept {
  if (session.lanes == 1) [[likely]]
    return &session;
  const auto number = static_cast<std::uint8_t>(counter >> kLaneShift);
  return number < session.lanes ? &session.receive_lane(number) : nullptr;
}

inline bool Decap::owns(ReceiveLane& lane) noexcept {
  // Relaxed: nobody had it before, so nothing is handed over with it.
  std::uint8_t owner = lane.owner.load(std::memory_order_relaxed);
  if (owner == lcore_) [[likely]]
    return true;
  return owner == ReceiveLane::kNobody &&
         lane.owner.compare_exchange_strong(owner, lcore_, std::memory_order_relaxed);
}

inline void Decap::find_sessions(Sealed& sealed, Instant now) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sealed.count; ++i) {
    const Datagram datagram = sealed.datagrams[i];
    const std::uint64_t counter = data_counter(datagram.at);
    Session* const session = table_.sessions.find(data_receiver(datagram.at));
    ReceiveLane* const lane = session == nullptr ? nullptr : lane_of(*session, counter);
    if (lane == nullptr) [[unlikely]] {
      counters_.count(Fate::kDropWireUnknownSession);
      continue;
    }
    if (now >= lane->receive_until) [[unlikely]] {
      counters_.count(Fate::kDropWireExpired);
      continue;
    }
    if (!owns(*lane)) [[unlikely]] {
      hand_over(datagram, lane->owner.load(std::memory_order_relaxed));
      continue;
    }
    rte_prefetch0(&session->receive_key);
    rte_prefetch0(&lane->received);
    if (gate_.is_on()) [[unlikely]]
      fetch_marks(lane->peer);
    sealed.datagrams[kept] = datagram;
    sealed.lanes[kept] = lane;
    sealed.jobs[kept] = {
        .key = &session->receive_key,
        .in = datagram.at + kDataHeader,
        .out = datagram.at + kDataHeader,
        .length = static_cast<std::uint32_t>(datagram.length - kDataHeader - kTagSize),
        .counter = counter};
    ++kept;
  }
  sealed.count = kept;
}

// Copied, as others may lie in the same buffer. It is rare: a peer's path has led to another lcore
// than before, until its next session.
void Decap::hand_over(const Datagram& datagram, unsigned to) noexcept {
  rte_mbuf* const copy = rte_pktmbuf_alloc(packets_);
  if (copy == nullptr || datagram.length > rte_pktmbuf_tailroom(copy)) [[unlikely]] {
    rte_pktmbuf_free(copy);
    counters_.count(Fate::kDropHandoverFull);
    return;
  }
  std::memcpy(data_of(copy), datagram.at, datagram.length);
  set_length(copy, datagram.length);
  meta(copy).endpoint = *datagram.source;
  if (!handover_.give_datagram(to, copy)) [[unlikely]] {
    counters_.drop(copy, Fate::kDropHandoverFull);
    return;
  }
  counters_.handed_over.add(1);
}

void Decap::confirm(const Datagram& datagram, ReceiveLane& lane) noexcept {
  if (Session* const session = table_.sessions.find(lane.local); session != nullptr) {
    session->proved.store(true, std::memory_order_relaxed);
  }
  const PeerView* const view = lane.number == 0 ? nullptr : table_.peers.find(lane.peer);
  const bool apart = view != nullptr && view->comes_apart(lane);
  // Should the ring be full, the next datagram confirms.
  lane.confirmed = punts_.event(PuntKind::kSessionConfirmed, lane.peer, lane.local,
                                apart ? view->endpoint : *datagram.source);
}

inline void Decap::accept(const Datagram& datagram, ReceiveLane& lane, const AeadJob& job,
                          Instant now) noexcept {
  if (!job.ok) [[unlikely]] {
    counters_.count(Fate::kDropWireForged);
    return;
  }
  if (!lane.received.replay.check_and_set(number_within(lane, job.counter))) [[unlikely]] {
    counters_.count(Fate::kDropWireReplayed);
    return;
  }
  lane.received.packets.add(1);
  lane.received.last.set(now);
  if (!lane.confirmed) [[unlikely]]
    confirm(datagram, lane);
  const Datagram text{.at = job.out, .length = job.length, .source = datagram.source};
  if (!continue_run(text, lane, now)) handle_plaintext(text, lane, now);
}

inline bool Decap::continue_run(const Datagram& text, ReceiveLane& lane, Instant now) noexcept {
  if (run_.lane != &lane || !host_.continue_flow(text.at, text.length)) return false;
  if (text.source != run_.source && *text.source != *run_.source) [[unlikely]] {
    const PeerView* const view = table_.peers.find(lane.peer);
    if (view != nullptr) follow_path(*text.source, lane, *view, now);
  }
  count_data(lane, text.length, now);
  return true;
}

inline void Decap::handle_plaintext(const Datagram& text, ReceiveLane& lane, Instant now) noexcept {
  if (text.length == 0) [[unlikely]] {
    const PeerView* const view = table_.peers.find(lane.peer);
    if (view != nullptr) follow_path(*text.source, lane, *view, now);
    counters_.count(Fate::kKeepalive);
    return;
  }
  const std::uint8_t first = *text.at;
  const bool ipop = lane.form == SessionForm::kIpop;
  if (is_ip(first) || (is_marked_partial(first) && ipop)) [[likely]] {
    handle_inner(text, lane, now);
  } else if (is_control(first) && ipop) {
    const ByteView bytes(text.at, text.length);
    counters_.count(punts_.control(bytes, *text.source, lane.peer, lane.local)
                        ? Fate::kPunted
                        : Fate::kDropPuntFull);
  } else {
    counters_.count(Fate::kDropInnerMalformed);
  }
}

inline void Decap::handle_inner(const Datagram& text, ReceiveLane& lane, Instant now) noexcept {
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
  const std::uint32_t version = table_.peers.version(lane.peer);
  const ReceiveLane::Admitted& like = lane.admitted;
  if (like.version != version || like.source != inner->source || like.from != *text.source) {
    if (!admit(inner->source, *text.source, version, lane, now)) return;
  }
  if (gate_.is_on() && !may_enter(bytes.first(inner->total_length), lane)) [[unlikely]]
    return;
  count_data(lane, inner->total_length, now);
  if (host_.deliver(text.at, *inner, transport, partial)) {
    run_ = {.lane = &lane, .source = text.source};
  }
}

bool Decap::admit(const IpAddress& inner_source, const Endpoint& from, std::uint32_t version,
                  ReceiveLane& lane, Instant now) noexcept {
  const PeerView* const view = table_.peers.find(lane.peer);
  if (view == nullptr) {  // its peer is being removed
    counters_.count(Fate::kDropWireUnknownSession);
    return false;
  }
  follow_path(from, lane, *view, now);
  const bool home = view->is_home(inner_source);
  if (!home && table_.routes.find(inner_source) != lane.peer) {
    counters_.count(Fate::kDropSourceNotAllowed);
    return false;
  }
  // Other routes than the view's homes, and other paths than its own, are looked at each time.
  if (home && (from == view->endpoint || view->comes_apart(lane))) {
    lane.admitted = {.version = version, .source = inner_source, .from = from};
  }
  return true;
}

// Of many peers each has a flow of its own, and none is at hand.
void Decap::fetch_flows(const Sealed& sealed) const noexcept {
  for (std::size_t i = 1; i < sealed.count; ++i) {
    if (sealed.lanes[i] != sealed.lanes[i - 1] && sealed.jobs[i].ok)
      gate_.prefetch(sealed.jobs[i].out, sealed.jobs[i].length);
  }
}

void Decap::fetch_marks(PeerIndex peer) const noexcept {
  const PeerView* const view = table_.peers.find(peer);
  if (view != nullptr) rte_prefetch0(&view->marks);
}

// What continues a run is not asked for: it is counted by what its lane counts, until another
// packet comes here, and so that ends the run.
bool Decap::may_enter(ByteView text, ReceiveLane& lane) noexcept {
  run_ = {};
  const PeerView* const view = table_.peers.find(lane.peer);
  if (view == nullptr) [[unlikely]] {
    counters_.count(Fate::kDropWireUnknownSession);
    return false;
  }
  const firewall::StampedMarks& marks = view->marks[gate_.slot()];
  if (gate_.continues(text.data(), static_cast<std::uint32_t>(text.size()), marks.stamp)) {
    if (gate_.counts_by(lane.received.data_packets)) return true;
    gate_.settle();
  } else if (const Fate fate = gate_.judge(text, marks, 1); fate != Fate::kSent) {
    counters_.count(fate);
    return false;
  }
  gate_.count_by(lane.received.data_packets, lane.received.data_bytes);
  return true;
}

void Decap::follow_path(const Endpoint& source, ReceiveLane& lane, const PeerView& view,
                        Instant now) noexcept {
  if (source == view.endpoint || view.comes_apart(lane)) [[likely]]
    return;
  if (lane.path_told != Instant{} && now - lane.path_told < kPathEvery) {
    return;
  }
  if (punts_.event(PuntKind::kPathChanged, lane.peer, lane.local, source)) {
    lane.path_told = now;
  }
}

}  // namespace ipop::engine
