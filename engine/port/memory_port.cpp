#include "engine/port/memory_port.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ipop::engine {

PacketQueue::PacketQueue(std::uint32_t size)
    : ring_(make_ring("queue", sizeof(rte_mbuf*), size)),
      wait_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wait_fd_) throw std::runtime_error("no eventfd for a packet queue: too many open files");
}

PacketQueue::~PacketQueue() {
  rte_mbuf* packet = nullptr;
  while (pop({&packet, 1}) != 0)
    rte_pktmbuf_free(packet);
}

std::uint16_t PacketQueue::push(std::span<rte_mbuf* const> packets) noexcept {
  const unsigned count =
      rte_ring_sp_enqueue_burst(ring_.get(), reinterpret_cast<void* const*>(packets.data()),
                                static_cast<unsigned>(packets.size()), nullptr);
  // Pairs with the exchange in pop().
  if (count != 0 && !signalled_.exchange(true, std::memory_order_acq_rel)) {
    (void)eventfd_write(wait_fd_.get(), 1);
  }
  return static_cast<std::uint16_t>(count);
}

std::uint16_t PacketQueue::pop(std::span<rte_mbuf*> into) noexcept {
  const auto take = [&] {
    return static_cast<std::uint16_t>(
        rte_ring_sc_dequeue_burst(ring_.get(), reinterpret_cast<void**>(into.data()),
                                  static_cast<unsigned>(into.size()), nullptr));
  };
  const std::uint16_t count = take();
  if (count != 0 || !signalled_.load(std::memory_order_relaxed)) return count;
  // Empty: the descriptor becomes quiet, and what came in meanwhile is taken all the same. If the
  // other thread has not come to its write yet, that is left for another time.
  eventfd_t value = 0;
  if (eventfd_read(wait_fd_.get(), &value) != 0) return 0;
  signalled_.exchange(false, std::memory_order_acq_rel);
  return take();
}

std::uint16_t MemoryHostPort::rx_burst(rte_mempool*, std::span<rte_mbuf*> into) noexcept {
  return in_.pop(into.first(std::min<std::size_t>(into.size(), kBurst)));
}

std::uint16_t MemoryHostPort::tx_burst(std::span<rte_mbuf*> frames) noexcept {
  return out_.push(frames);
}

std::size_t MemoryHostPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  into[0] = in_.wait_fd();
  return 1;
}

void MemoryHostPort::write_ethernet(std::uint8_t* header, const IpAddress& from) const noexcept {
  static constexpr std::uint8_t kAddresses[12] = {2, 0, 0, 0, 0, 1, 2, 1};
  std::memcpy(header, kAddresses, sizeof kAddresses);
  std::memcpy(header + 8, &from.bytes()[12], 4);
}

std::uint16_t MemoryWirePort::rx_burst(rte_mempool*, std::span<rte_mbuf*> into) noexcept {
  return in_.pop(into.first(std::min<std::size_t>(into.size(), kBurst)));
}

void MemoryWirePort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint16_t& sent,
                              std::uint16_t& refused) noexcept {
  sent = out_.push(datagrams);
  refused = static_cast<std::uint16_t>(datagrams.size() - sent);
  if (refused != 0) rte_pktmbuf_free_bulk(&datagrams[sent], refused);
}

std::size_t MemoryWirePort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  into[0] = in_.wait_fd();
  return 1;
}

}  // namespace ipop::engine
