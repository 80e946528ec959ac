#include "engine/path/inject_ring.hpp"

#include <cstring>

#include "engine/path/packet.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

InjectRing::InjectRing(rte_mempool* pool, Bell& bell)
    : pool_(pool), ring_(make_ring("orders", sizeof(Order), kOrders)), bell_(bell) {}

InjectRing::~InjectRing() {
  Order order;
  while (take(&order, 1) != 0)
    rte_pktmbuf_free(order.packet);
}

bool InjectRing::refuse() noexcept {
  refused_.add(1);
  return false;
}

bool InjectRing::put(Order order) noexcept {
  if (rte_ring_sp_enqueue_elem(ring_.get(), &order, sizeof order) != 0) {
    rte_pktmbuf_free(order.packet);
    return refuse();
  }
  accepted_.add(1);
  bell_.ring();
  return true;
}

rte_mbuf* InjectRing::copy(ByteView bytes, std::size_t most) noexcept {
  rte_mbuf* const packet = bytes.size() <= most ? rte_pktmbuf_alloc(pool_) : nullptr;
  if (packet == nullptr) return nullptr;
  if (!bytes.empty()) std::memcpy(data_of(packet), bytes.data(), bytes.size());
  set_length(packet, static_cast<std::uint32_t>(bytes.size()));
  return packet;
}

bool InjectRing::send_datagram(const Endpoint& to, ByteView bytes) {
  rte_mbuf* const packet = copy(bytes, kMaxDatagram);
  if (packet == nullptr) return refuse();
  meta(packet).endpoint = to;
  return put({.packet = packet, .kind = OrderKind::kDatagram});
}

bool InjectRing::send_sealed(ReceiverIndex session, ByteView plaintext,
                             std::optional<Endpoint> via) {
  rte_mbuf* const packet = copy(plaintext, kMaxPlaintext);
  if (packet == nullptr) return refuse();
  if (via) meta(packet).endpoint = *via;
  return put({.packet = packet,
              .session = session,
              .kind = via ? OrderKind::kSealedVia : OrderKind::kSealed});
}

bool InjectRing::retry_staged() {
  return put({.kind = OrderKind::kRetry});
}

bool InjectRing::reject_staged(const IpAddress& address, RejectReason reason) {
  return put({.address = address, .kind = OrderKind::kReject, .reason = reason});
}

std::uint32_t InjectRing::take(Order* into, std::uint32_t most) noexcept {
  return rte_ring_sc_dequeue_burst_elem(ring_.get(), into, sizeof(Order), most, nullptr);
}

}  // namespace ipop::engine
