#include "engine/path/punt_ring.hpp"

#include <sys/eventfd.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "engine/path/packet.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

PuntRing::PuntRing(rte_mempool* pool)
    : pool_(pool),
      datagrams_(make_ring("punts", sizeof(Item), kDatagrams)),
      events_(make_ring("events", sizeof(Item), kEvents)),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_fd_) throw std::runtime_error("no eventfd for the overlay: too many open files");
}

PuntRing::~PuntRing() {
  Item item;
  while (take_one(item))
    rte_pktmbuf_free(item.packet);
}

bool PuntRing::put(rte_ring* ring, Item item) noexcept {
  if (rte_ring_sp_enqueue_elem(ring, &item, sizeof item) != 0) return false;
  pushed_ = true;
  return true;
}

bool PuntRing::put_copy(rte_ring* ring, ByteView bytes, Item item) noexcept {
  // Asked first, so that a flood costs no copies.
  if (bytes.size() > kMaxBytes || no_room_left(ring)) return false;
  item.packet = rte_pktmbuf_alloc(pool_);
  if (item.packet == nullptr) return false;
  std::memcpy(data_of(item.packet), bytes.data(), bytes.size());
  set_length(item.packet, static_cast<std::uint32_t>(bytes.size()));
  if (put(ring, item)) return true;
  rte_pktmbuf_free(item.packet);
  return false;
}

bool PuntRing::datagram(ByteView bytes, const Endpoint& source) noexcept {
  return put_copy(datagrams_.get(), bytes, {.source = source, .kind = PuntKind::kDatagram});
}

bool PuntRing::control(ByteView bytes, const Endpoint& source, PeerIndex peer,
                       ReceiverIndex session) noexcept {
  return put_copy(events_.get(), bytes,
                  {.peer = peer, .session = session, .source = source, .kind = PuntKind::kControl});
}

bool PuntRing::event(PuntKind kind, PeerIndex peer, ReceiverIndex session,
                     const Endpoint& source) noexcept {
  return put(events_.get(), {.peer = peer, .session = session, .source = source, .kind = kind});
}

bool PuntRing::resolve(const IpAddress& address) noexcept {
  return put(events_.get(), {.address = address, .kind = PuntKind::kResolve});
}

bool PuntRing::need_session(PeerIndex peer, const IpAddress& address) noexcept {
  return put(events_.get(), {.address = address, .peer = peer, .kind = PuntKind::kNeedSession});
}

void PuntRing::wake() noexcept {
  if (!pushed_) return;
  pushed_ = false;
  // Pairs with the exchange in drain().
  if (armed_.exchange(false, std::memory_order_acq_rel)) signal();
}

void PuntRing::signal() noexcept {
  // Cannot fail but by overflow, and then the descriptor is readable anyway.
  (void)eventfd_write(wake_fd_.get(), 1);
}

bool PuntRing::take_one(Item& item) noexcept {
  rte_ring* first = events_.get();
  rte_ring* second = datagrams_.get();
  if (++taken_ % kDatagramsTurn == 0) std::swap(first, second);
  return rte_ring_sc_dequeue_elem(first, &item, sizeof item) == 0 ||
         rte_ring_sc_dequeue_elem(second, &item, sizeof item) == 0;
}

bool PuntRing::empty() const noexcept {
  return nothing_to_take(events_.get()) && nothing_to_take(datagrams_.get());
}

std::size_t PuntRing::drain(std::size_t limit, const std::function<void(const Punt&)>& take) {
  std::size_t drained = 0;
  Item item;
  while (drained < limit && take_one(item)) {
    ++drained;
    Punt punt{.kind = item.kind,
              .peer = item.peer,
              .session = item.session,
              .source = item.source,
              .address = item.address};
    // Freed even if `take` throws.
    const std::unique_ptr<rte_mbuf, void (*)(rte_mbuf*)> packet(item.packet, rte_pktmbuf_free);
    if (packet) punt.bytes = bytes_of(packet.get());
    take(punt);
  }
  if (drained == limit) return drained;  // perhaps not empty: wake_fd stays readable
  eventfd_t count = 0;
  (void)eventfd_read(wake_fd_.get(), &count);
  // Pairs with the exchange in wake(): either it sees us armed, or we see what it put in.
  armed_.exchange(true, std::memory_order_acq_rel);
  if (!empty() && armed_.exchange(false, std::memory_order_acq_rel)) signal();
  return drained;
}

}  // namespace ipop::engine
