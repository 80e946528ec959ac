#include "engine/port/udp_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "engine/path/packet.hpp"
#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {
namespace {

// With port 0 the number that the kernel chose for one family may be taken in the other.
constexpr int kPortTries = 16;

constexpr std::size_t kReadBytes = 128 * 1024;
constexpr std::size_t kFewest = 2;

}  // namespace

UdpPort::UdpPort(const UdpSettings& settings) {
  if (settings.listen.empty()) throw std::runtime_error("overlay.listen names no address");
  for (const Endpoint& at : settings.listen) {
    if (at.port != settings.listen.front().port) {
      throw std::runtime_error("overlay.listen must name one port for all addresses");
    }
  }
  for (int tries = 1; !open_all(settings); ++tries) {
    if (tries == kPortTries) throw PortTaken("no UDP port is free in both address families");
  }
}

void UdpPort::release_buffers() noexcept {
  for (Socket& socket : sockets_) {
    if (socket.spares != 0) rte_pktmbuf_free_bulk(socket.spare.data(), socket.spares);
    socket.spares = 0;
  }
}

bool UdpPort::open_all(const UdpSettings& settings) {
  sockets_.clear();
  bound_.clear();
  std::uint16_t port = settings.listen.front().port;
  const bool chosen_by_kernel = port == 0;
  for (const Endpoint& at : settings.listen) {
    std::optional<Fd> fd;
    try {
      fd = open_udp_socket({at.address, port}, settings.buffer_bytes);
    } catch (const PortTaken&) {
      if (chosen_by_kernel) return false;
      throw;
    }
    if (!fd) {
      if (settings.allow_missing_family) continue;
      throw std::runtime_error("this machine has no " +
                               std::string(at.address.is_v4() ? "IPv4" : "IPv6") + " for " +
                               at.to_string() + " in overlay.listen");
    }
    port = local_port(*fd);
    const TrainSupport trains = settings.trains ? ask_for_trains(*fd) : TrainSupport{};
    sockets_.push_back({.fd = std::move(*fd),
                        .v4 = at.address.is_v4(),
                        .segments = trains.send,
                        .receives_trains = trains.receive});
    bound_.push_back({at.address, port});
  }
  if (sockets_.empty()) {
    throw std::runtime_error("this machine has none of the address families in overlay.listen");
  }
  return true;
}

std::uint16_t UdpPort::rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept {
  const std::size_t most = std::min<std::size_t>(into.size(), kBurst);
  std::size_t filled = 0;
  // The socket that comes first changes, so that a flood on one family does not starve the other.
  for (std::size_t i = 0; i < sockets_.size() && filled < most; ++i) {
    Socket& socket = sockets_[(first_ + i) % sockets_.size()];
    if (socket.empty >= kPatient && turn_ % kSkip != 0) continue;
    filled += receive(socket, pools, into.subspan(filled, most - filled));
  }
  first_ = (first_ + 1) % sockets_.size();
  ++turn_;
  return static_cast<std::uint16_t>(filled);
}

bool UdpPort::refill(Socket& socket, rte_mempool* pool, std::size_t want) noexcept {
  if (socket.spares >= want) return true;
  const auto missing = static_cast<unsigned>(want - socket.spares);
  if (rte_pktmbuf_alloc_bulk(pool, &socket.spare[socket.spares], missing) != 0) return false;
  // A train may be as long as the buffer; nothing has to go in front of what is received.
  for (; socket.receives_trains && socket.spares < want; ++socket.spares)
    socket.spare[socket.spares]->data_off = 0;
  socket.spares = static_cast<std::uint32_t>(want);
  return true;
}

std::uint16_t UdpPort::receive(Socket& socket, const PacketPools& pools,
                               std::span<rte_mbuf*> into) noexcept {
  const std::size_t want = std::min<std::size_t>(into.size(), socket.want);
  if (!refill(socket, socket.receives_trains ? pools.supers : pools.packets, want)) return 0;
  mmsghdr messages[kBurst];
  iovec rooms[kBurst];
  sockaddr_storage sources[kBurst];
  SegmentSizeControl controls[kBurst];
  // The last of the spares are used first: what is left stays in place.
  rte_mbuf** const buffers = &socket.spare[socket.spares - want];
  for (std::size_t i = 0; i < want; ++i) {
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
      recvmmsg(socket.fd.get(), messages, static_cast<unsigned>(want), MSG_DONTWAIT, nullptr);
  if (result <= 0) {
    ++socket.empty;
    return 0;
  }
  socket.empty = 0;
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
    bytes += messages[i].msg_len;
  }
  std::copy(buffers + got, buffers + want, buffers);
  socket.spares -= static_cast<std::uint32_t>(got);
  // After long trains few are read at a time, so that they are worked on while they are in the
  // cache; after short ones, many.
  socket.want = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(kReadBytes / (bytes / got + 1), kFewest, kBurst));
  return static_cast<std::uint16_t>(got);
}

UdpPort::Socket* UdpPort::socket_for(const Endpoint& to) noexcept {
  const bool v4 = to.address.is_v4();
  for (Socket& socket : sockets_) {
    if (socket.v4 == v4) return &socket;
  }
  return nullptr;
}

void UdpPort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                       std::uint32_t& refused) noexcept {
  std::size_t done = 0;
  sent = refused = 0;
  while (done < datagrams.size()) {
    // A run of one family goes in one call.
    Socket* const socket = socket_for(meta(datagrams[done]).endpoint);
    std::uint32_t count = packet_count(datagrams[done]);
    std::size_t end = done + 1;
    for (; end < datagrams.size() && socket_for(meta(datagrams[end]).endpoint) == socket; ++end)
      count += packet_count(datagrams[end]);
    const std::uint32_t accepted =
        socket == nullptr ? 0 : transmit(*socket, datagrams.subspan(done, end - done));
    sent += accepted;
    refused += count - accepted;
    done = end;
  }
  rte_pktmbuf_free_bulk(datagrams.data(), static_cast<unsigned>(datagrams.size()));
}

std::uint32_t UdpPort::transmit(Socket& socket, std::span<rte_mbuf* const> datagrams) noexcept {
  MessageBatch batch;
  for (std::size_t next = 0; next < datagrams.size();) {
    next += batch.add(datagrams.subspan(next), socket.segments);
  }
  std::uint32_t accepted = 0;
  for (std::size_t next = 0; next < batch.size();) {
    std::size_t end = batch.size();
    if (!socket.segments) {
      // The kernel would take a train for one long datagram.
      if (batch.is_train(next)) {
        accepted += send_singly(socket.fd.get(), batch, next++);
        continue;
      }
      end = next + 1;
      while (end < batch.size() && !batch.is_train(end))
        ++end;
    }
    const int count = sendmmsg(socket.fd.get(), batch.from(next), static_cast<unsigned>(end - next),
                               MSG_DONTWAIT);
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
      if (error == EIO) socket.segments = false;
      accepted += send_singly(socket.fd.get(), batch, next);
    }
    ++next;
  }
  return accepted;
}

std::size_t UdpPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    into[i] = sockets_[i].fd.get();
  return sockets_.size();
}

}  // namespace ipop::engine
