#include "engine/port/udp_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "engine/path/packet.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {
namespace {

// With port 0 the number that the kernel chose for one family may be taken in the other.
constexpr int kPortTries = 16;

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
    sockets_.push_back({std::move(*fd), at.address.is_v4()});
    bound_.push_back({at.address, port});
  }
  if (sockets_.empty()) {
    throw std::runtime_error("this machine has none of the address families in overlay.listen");
  }
  return true;
}

std::uint16_t UdpPort::rx_burst(rte_mempool* pool, std::span<rte_mbuf*> into) noexcept {
  const std::size_t want = std::min<std::size_t>(into.size(), kBurst);
  if (rte_pktmbuf_alloc_bulk(pool, into.data(), static_cast<unsigned>(want)) != 0) return 0;
  std::uint16_t filled = 0;
  // The socket that comes first changes, so that a flood on one family does not starve the other.
  for (std::size_t i = 0; i < sockets_.size() && filled < want; ++i) {
    const Socket& socket = sockets_[(first_ + i) % sockets_.size()];
    filled = static_cast<std::uint16_t>(
        filled + receive(socket.fd.get(), into.subspan(filled, want - filled)));
  }
  first_ = (first_ + 1) % sockets_.size();
  if (filled < want) {
    rte_pktmbuf_free_bulk(&into[filled], static_cast<unsigned>(want - filled));
  }
  return filled;
}

std::uint16_t UdpPort::receive(int fd, std::span<rte_mbuf*> into) noexcept {
  mmsghdr messages[kBurst];
  iovec rooms[kBurst];
  sockaddr_storage sources[kBurst];
  for (std::size_t i = 0; i < into.size(); ++i) {
    rooms[i] = {data_of(into[i]), rte_pktmbuf_tailroom(into[i])};
    messages[i].msg_hdr = {.msg_name = &sources[i],
                           .msg_namelen = sizeof sources[i],
                           .msg_iov = &rooms[i],
                           .msg_iovlen = 1};
  }
  // Errors are of the socket's past (an ICMP message) or say that it is empty: either way the next
  // call reads on.
  const int got = recvmmsg(fd, messages, static_cast<unsigned>(into.size()), MSG_DONTWAIT, nullptr);
  if (got <= 0) return 0;
  for (int i = 0; i < got; ++i) {
    // A datagram that did not fit is passed on empty, which nothing takes for whole.
    const bool truncated = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    set_length(into[i], truncated ? 0 : messages[i].msg_len);
    meta(into[i]).endpoint = Endpoint::from_sockaddr(sources[i]);
  }
  return static_cast<std::uint16_t>(got);
}

const UdpPort::Socket* UdpPort::socket_for(const Endpoint& to) const noexcept {
  const bool v4 = to.address.is_v4();
  for (const Socket& socket : sockets_) {
    if (socket.v4 == v4) return &socket;
  }
  return nullptr;
}

void UdpPort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint16_t& sent,
                       std::uint16_t& refused) noexcept {
  std::size_t done = 0;
  sent = 0;
  while (done < datagrams.size()) {
    // A run of one family goes in one call.
    const Socket* const socket = socket_for(meta(datagrams[done]).endpoint);
    std::size_t end = done + 1;
    while (end < datagrams.size() && socket_for(meta(datagrams[end]).endpoint) == socket)
      ++end;
    if (socket != nullptr) {
      const std::uint16_t accepted = transmit(*socket, datagrams.subspan(done, end - done));
      sent = static_cast<std::uint16_t>(sent + accepted);
    }
    done = end;
  }
  refused = static_cast<std::uint16_t>(datagrams.size() - sent);
  rte_pktmbuf_free_bulk(datagrams.data(), static_cast<unsigned>(datagrams.size()));
}

std::uint16_t UdpPort::transmit(const Socket& socket,
                                std::span<rte_mbuf* const> datagrams) noexcept {
  mmsghdr messages[kBurst];
  iovec contents[kBurst];
  sockaddr_storage destinations[kBurst];
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    contents[i] = {data_of(datagrams[i]), datagrams[i]->data_len};
    const std::size_t size = meta(datagrams[i]).endpoint.to_sockaddr(destinations[i]);
    messages[i].msg_hdr = {.msg_name = &destinations[i],
                           .msg_namelen = static_cast<socklen_t>(size),
                           .msg_iov = &contents[i],
                           .msg_iovlen = 1};
  }
  std::uint16_t accepted = 0;
  for (std::size_t next = 0; next < datagrams.size();) {
    const int count = sendmmsg(socket.fd.get(), messages + next,
                               static_cast<unsigned>(datagrams.size() - next), MSG_DONTWAIT);
    if (count > 0) {
      accepted = static_cast<std::uint16_t>(accepted + count);
      next += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
      break;  // the wire is full, for all of them
    } else if (errno != EINTR) {
      ++next;  // this one cannot go (too long, no route, filtered); the others may
    }
  }
  return accepted;
}

std::size_t UdpPort::wait_fds(std::span<int, kMaxWaitFds> into) const noexcept {
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    into[i] = sockets_[i].fd.get();
  return sockets_.size();
}

}  // namespace ipop::engine
