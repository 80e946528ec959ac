#include "engine/lcore_state.hpp"

#include <utility>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

std::uint64_t packets_in(std::span<rte_mbuf* const> burst) noexcept {
  std::uint64_t sum = 0;
  for (const rte_mbuf* const packet : burst)
    sum += packet_count(packet);
  return sum;
}

}  // namespace

LcoreState::LcoreState(const Parts& parts, std::unique_ptr<AeadEngine> aead)
    : host_port_(parts.host),
      wire_port_(parts.wire),
      pools_(parts.pools),
      table_(parts.table),
      punts_(parts.punts),
      orders_(parts.orders),
      share_(parts.share),
      handover_(parts.handover),
      aead_(std::move(aead)),
      wire_(wire_port_, *aead_, pools_, counters_),
      host_(host_port_, counters_),
      relay_(table_, share_.lcore(), wire_port_, pools_, counters_),
      answers_(pools_.packets, host_, counters_),
      encap_(table_, share_, handover_, wire_, answers_, punts_, counters_),
      decap_(table_, share_.lcore(), pools_.packets, handover_, *aead_, host_, relay_, punts_,
             counters_) {}

std::uint32_t LcoreState::turn(Instant now) noexcept {
  rte_mbuf* received[kBurst];
  rte_mbuf* handed[kBurst];
  std::uint64_t packets = 0;
  std::uint32_t taken = take_orders(now);
  taken += take_frames(packets, now);

  const std::uint16_t from_wire = wire_port_.rx_burst(pools_, received);
  if (from_wire != 0) {
    const std::uint64_t datagrams = packets_in({received, from_wire});
    counters_.wire_rx.add(datagrams);
    packets += datagrams;
    decap_.wire_burst({received, from_wire}, now);
    taken += from_wire;
  }
  const std::uint16_t from_others = handover_.take_datagrams(handed);
  if (from_others != 0) {
    decap_.wire_burst({handed, from_others}, now);
    packets += from_others;
    taken += from_others;
  }
  if (taken != 0) had_bulk_ = packets > taken;
  if (turns_++ % kHousekeeping == 0) {
    encap_.tick(now);
    wire_port_.tick(now);
  }
  flush();
  // Frames for the host pointed into them until now.
  if (from_wire != 0) rte_pktmbuf_free_bulk(received, from_wire);
  if (from_others != 0) rte_pktmbuf_free_bulk(handed, from_others);
  return taken;
}

std::uint32_t LcoreState::take_frames(std::uint64_t& packets, Instant now) noexcept {
  rte_mbuf* burst[kBurst];
  const std::uint16_t from_host = host_port_.rx_burst(pools_, burst);
  if (from_host != 0) {
    const std::uint64_t frames = packets_in({burst, from_host});
    counters_.host_rx.add(frames);
    packets += frames;
    encap_.host_burst({burst, from_host}, now);
  }
  const std::uint16_t from_others = handover_.take_frames(burst);
  if (from_others != 0) {
    packets += packets_in({burst, from_others});
    encap_.host_burst({burst, from_others}, now);
  }
  return std::uint32_t{from_host} + from_others;
}

void LcoreState::tick(Instant now) noexcept {
  encap_.tick(now);
  wire_port_.tick(now);
  flush();
}

void LcoreState::finish(Instant now) noexcept {
  while (take_orders(now) != 0)
    flush();
  encap_.give_up(now);
  flush();
  wire_port_.release_buffers();
}

void LcoreState::drop_handed_over() noexcept {
  rte_mbuf* packet = nullptr;
  while (handover_.take_frames({&packet, 1}) != 0 || handover_.take_datagrams({&packet, 1}) != 0)
    counters_.drop(packet, Fate::kDropHandoverFull);
}

void LcoreState::flush() noexcept {
  wire_.flush();
  relay_.flush();
  host_.flush();
  handover_.wake();
  punts_.wake();
}

std::uint32_t LcoreState::take_orders(Instant now) noexcept {
  Order orders[kBurst];
  const std::uint32_t count = orders_.take(orders, kBurst);
  for (std::uint32_t i = 0; i < count; ++i)
    carry_out(orders[i], now);
  return count;
}

void LcoreState::carry_out(const Order& order, Instant now) noexcept {
  switch (order.kind) {
    case OrderKind::kDatagram:
      wire_.send(order.packet);
      break;
    case OrderKind::kSealed:
    case OrderKind::kSealedVia:
      send_sealed(order, now);
      break;
    case OrderKind::kRetry:
      encap_.retry_staged(now);
      counters_.count(Fate::kConsumed);
      break;
    case OrderKind::kReject:
      encap_.reject_staged(order.address, order.reason, now);
      counters_.count(Fate::kConsumed);
      break;
  }
}

void LcoreState::send_sealed(const Order& order, Instant now) noexcept {
  Session* const session = table_.sessions.find(order.session);
  // Another lcore's lane has its counters in that one's hands.
  if (session == nullptr || !share_.has_first(session->peer) || now >= session->sent.send_until ||
      session->sent.is_spent()) {
    counters_.drop(order.packet, Fate::kDropNoSession);
    return;
  }
  const PeerView* const view = table_.peers.find(session->peer);
  const bool has_path = view != nullptr && view->endpoint.port != 0;
  if (order.kind == OrderKind::kSealed && !has_path) {
    counters_.drop(order.packet, Fate::kDropNoPath);
    return;
  }
  const Endpoint to =
      order.kind == OrderKind::kSealed ? view->endpoint : meta(order.packet).endpoint;
  const std::uint32_t room = has_path ? view->room() : order.packet->pkt_len;
  wire_.seal(order.packet, session->sent, to, room, now);
}

}  // namespace ipop::engine
