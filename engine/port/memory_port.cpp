#include "engine/port/memory_port.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

std::uint64_t offload_flags(const HostFrame& frame) noexcept {
  if (!frame.partial_checksum) return 0;
  const bool udp = frame.checksum_offset == 6;
  std::uint64_t flags = udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
  if (frame.segmentation != Segmentation::kNone) {
    flags |= udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
  }
  return flags;
}

// nullptr if the pool is empty.
rte_mbuf* copy_frame(const HostFrame& frame, rte_mempool* pool) noexcept {
  rte_mbuf* const head = rte_pktmbuf_alloc(pool);
  if (head == nullptr) return nullptr;
  rte_mbuf* last = head;
  for (const Piece* piece = &frame.first; piece != nullptr; piece = piece->next) {
    for (std::uint32_t done = 0; done < piece->length;) {
      if (rte_pktmbuf_tailroom(last) == 0) {
        rte_mbuf* const more = rte_pktmbuf_alloc(pool);
        if (more == nullptr || rte_pktmbuf_chain(head, more) != 0) {
          rte_pktmbuf_free(more);
          rte_pktmbuf_free(head);
          return nullptr;
        }
        last = more;
      }
      const auto part = static_cast<std::uint16_t>(
          std::min<std::uint32_t>(piece->length - done, rte_pktmbuf_tailroom(last)));
      std::memcpy(rte_pktmbuf_mtod_offset(last, std::uint8_t*, last->data_len), piece->at + done,
                  part);
      last->data_len = static_cast<std::uint16_t>(last->data_len + part);
      head->pkt_len += part;
      done += part;
    }
  }
  head->ol_flags = offload_flags(frame);
  if (frame.partial_checksum) {
    head->l2_len = kEthernetHeader;
    head->l3_len = static_cast<std::uint16_t>(frame.checksum_start - kEthernetHeader) & 0x1ff;
    if (frame.segmentation != Segmentation::kNone) {
      head->l4_len = static_cast<std::uint8_t>(frame.header_length - frame.checksum_start);
      head->tso_segsz = frame.segment_size;
    }
  }
  return head;
}

}  // namespace

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

std::uint16_t MemoryHostPort::rx_burst(const PacketPools& pools,
                                       std::span<rte_mbuf*> into) noexcept {
  pool_ = pools.packets;
  return in_.pop(into.first(std::min<std::size_t>(into.size(), kBurst)));
}

HostWritten MemoryHostPort::tx_burst(std::span<const HostFrame> frames) noexcept {
  HostWritten written;
  bool room = pool_ != nullptr;
  for (const HostFrame& frame : frames) {
    if (!room) {
      written.refused += frame.packets;
      continue;
    }
    static constexpr std::uint8_t kAddresses[12] = {2, 0, 0, 0, 0, 1, 2, 1};
    std::memcpy(frame.first.at, kAddresses, sizeof kAddresses);
    std::memcpy(frame.first.at + 8, &frame.source.bytes()[12], 4);
    store_be<std::uint16_t>(frame.first.at + 12, frame.source.is_v4() ? 0x0800 : 0x86dd);
    rte_mbuf* copy = copy_frame(frame, pool_);
    if (copy == nullptr || out_.push({&copy, 1}) == 0) {
      rte_pktmbuf_free(copy);
      written.refused += frame.packets;
      room = false;
    } else {
      written.delivered += frame.packets;
    }
  }
  return written;
}

std::size_t MemoryHostPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  into[0] = in_.wait_fd();
  return 1;
}

std::uint16_t MemoryWirePort::rx_burst(const PacketPools&, std::span<rte_mbuf*> into) noexcept {
  return in_.pop(into.first(std::min<std::size_t>(into.size(), kBurst)));
}

void MemoryWirePort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                              std::uint32_t& refused) noexcept {
  sent = refused = 0;
  // Counted before they are pushed: afterwards they are another thread's.
  std::uint32_t counts[kBurst];
  for (std::size_t i = 0; i < datagrams.size(); ++i)
    counts[i] = packet_count(datagrams[i]);
  const std::uint16_t taken = out_.push(datagrams);
  for (std::size_t i = 0; i < datagrams.size(); ++i)
    (i < taken ? sent : refused) += counts[i];
  for (rte_mbuf* const left : datagrams.subspan(taken))
    rte_pktmbuf_free(left);
}

std::size_t MemoryWirePort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  into[0] = in_.wait_fd();
  return 1;
}

}  // namespace ipop::engine
