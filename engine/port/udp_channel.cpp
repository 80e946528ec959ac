#include "engine/port/udp_channel.hpp"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "engine/path/packet.hpp"
#include "engine/port/udp_messages.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kReadBytes = 128 * 1024;
constexpr std::size_t kFewest = 2;

}  // namespace

void SpareBuffers::release() noexcept {
  if (count != 0) rte_pktmbuf_free_bulk(at.data(), count);
  count = 0;
}

bool UdpChannel::refill(SpareBuffers& spares, rte_mempool* pool,
                        std::size_t want_now) const noexcept {
  if (spares.count >= want_now) return true;
  const auto missing = static_cast<unsigned>(want_now - spares.count);
  if (rte_pktmbuf_alloc_bulk(pool, &spares.at[spares.count], missing) != 0) return false;
  // A train may be as long as the buffer; nothing has to go in front of what is received.
  for (; receives_trains && spares.count < want_now; ++spares.count)
    spares.at[spares.count]->data_off = 0;
  spares.count = static_cast<std::uint32_t>(want_now);
  return true;
}

std::uint16_t UdpChannel::receive(SpareBuffers& spares, const PacketPools& pools,
                                  std::span<rte_mbuf*> into) noexcept {
  const std::size_t most = std::min<std::size_t>(into.size(), want);
  if (!refill(spares, receives_trains ? pools.supers : pools.packets, most)) return 0;
  mmsghdr messages[kBurst];
  iovec rooms[kBurst];
  sockaddr_storage sources[kBurst];
  SegmentSizeControl controls[kBurst];
  // The last of the spares are used first: what is left stays in place.
  rte_mbuf** const buffers = &spares.at[spares.count - most];
  for (std::size_t i = 0; i < most; ++i) {
    rooms[i] = {data_of(buffers[i]), rte_pktmbuf_tailroom(buffers[i])};
    messages[i].msg_hdr = {.msg_name = &sources[i],
                           .msg_namelen = sizeof sources[i],
                           .msg_iov = &rooms[i],
                           .msg_iovlen = 1,
                           .msg_control = controls[i].bytes,
                           .msg_controllen = sizeof controls[i].bytes};
  }
  // Errors are of the socket's past (an ICMP message) or say that it is empty: either way the next
  // call reads on.
  const int result =
      recvmmsg(fd.get(), messages, static_cast<unsigned>(most), MSG_DONTWAIT, nullptr);
  if (result <= 0) {
    ++empty;
    return 0;
  }
  empty = 0;
  const auto got = static_cast<std::size_t>(result);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < got; ++i) {
    const msghdr& header = messages[i].msg_hdr;
    rte_mbuf* const buffer = into[i] = buffers[i];
    // A datagram that did not fit is passed on empty, which nothing takes for whole.
    const bool truncated = (header.msg_flags & MSG_TRUNC) != 0;
    set_length(buffer, truncated ? 0 : messages[i].msg_len);
    if (const std::uint16_t each = segment_size_of(header); each < buffer->pkt_len) {
      buffer->tso_segsz = each;
    }
    meta(buffer).endpoint = Endpoint::from_sockaddr(sources[i]);
    meta(buffer).endpoint.socket = number;
    bytes += messages[i].msg_len;
  }
  std::copy(buffers + got, buffers + most, buffers);
  spares.count -= static_cast<std::uint32_t>(got);
  // After long trains few are read at a time, so that they are worked on while they are in the
  // cache; after short ones, many.
  want = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(kReadBytes / (bytes / got + 1), kFewest, kBurst));
  return static_cast<std::uint16_t>(got);
}

std::uint32_t UdpChannel::transmit(std::span<rte_mbuf* const> datagrams) noexcept {
  // Relaxed: it only saves a vain call.
  const std::atomic_ref<bool> may_segment(segments);
  const bool trains = may_segment.load(std::memory_order_relaxed);
  MessageBatch batch;
  for (std::size_t next = 0; next < datagrams.size();) {
    next += batch.add(datagrams.subspan(next), trains);
  }
  std::uint32_t accepted = 0;
  for (std::size_t next = 0; next < batch.size();) {
    std::size_t end = batch.size();
    if (!may_segment.load(std::memory_order_relaxed)) {
      // The kernel would take a train for one long datagram.
      if (batch.is_train(next)) {
        accepted += send_singly(fd.get(), batch, next++);
        continue;
      }
      end = next + 1;
      while (end < batch.size() && !batch.is_train(end))
        ++end;
    }
    const int count =
        sendmmsg(fd.get(), batch.from(next), static_cast<unsigned>(end - next), MSG_DONTWAIT);
    if (count > 0) {
      for (int i = 0; i < count; ++i)
        accepted += batch.datagrams(next++);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == ENOBUFS || error == ENOMEM) break;  // full, for all of them
    if (error == EINTR) continue;
    // This one cannot go (too long, no route, filtered); the others may. A train perhaps can in
    // single datagrams: EIO comes of a device without checksums, others of this route alone.
    if (batch.is_train(next)) {
      if (error == EIO) may_segment.store(false, std::memory_order_relaxed);
      accepted += send_singly(fd.get(), batch, next);
    }
    ++next;
  }
  return accepted;
}

std::uint64_t UdpChannel::missed() const noexcept {
  std::uint32_t numbers[SK_MEMINFO_VARS] = {};
  socklen_t size = sizeof numbers;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_MEMINFO, numbers, &size) != 0) return 0;
  return numbers[SK_MEMINFO_DROPS];
}

}  // namespace ipop::engine
