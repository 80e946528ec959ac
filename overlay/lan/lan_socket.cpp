#include "overlay/lan/lan_socket.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/fd.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "overlay/lan/lan_message.hpp"

namespace ipop::overlay {
namespace {

constexpr unsigned kMostReads = 64;  // before others have their turn

Endpoint group(bool v4) {
  if (v4) return {IpAddress::v4(0xEFFF4950), LanSocket::kPort};
  return {IpAddress({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x50, 0x4f, 0x50}),
          LanSocket::kPort};
}

void set(int fd, int level, int option, int value) {
  (void)setsockopt(fd, level, option, &value, sizeof value);
}

// An invalid one if the machine lacks the family, or somebody has the port for itself alone.
Fd open_socket(bool v4) {
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (v4) {
    set(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, 1);
    set(fd.get(), IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    set(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0);
  } else {
    set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
    set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  }
  // To the group where the kernel can: what is sent to this host alone is not meant.
  sockaddr_storage at{};
  const Endpoint here = v4 ? group(v4) : Endpoint{IpAddress(), LanSocket::kPort};
  const auto size = static_cast<socklen_t>(here.to_sockaddr(at));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0) return {};
  return fd;
}

std::vector<unsigned> links(const std::string& except, bool v4) {
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(raw, &freeifaddrs);
  std::vector<unsigned> found;
  for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next) {
    constexpr unsigned kWanted = IFF_UP | IFF_MULTICAST;
    if ((entry->ifa_flags & kWanted) != kWanted || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    if (entry->ifa_addr == nullptr || entry->ifa_name == except) continue;
    if (entry->ifa_addr->sa_family != (v4 ? AF_INET : AF_INET6)) continue;
    if (const unsigned index = if_nametoindex(entry->ifa_name); index != 0) found.push_back(index);
  }
  std::ranges::sort(found);
  const auto doubles = std::ranges::unique(found);
  found.erase(doubles.begin(), doubles.end());
  return found;
}

bool join(int fd, bool v4, unsigned link) {
  sockaddr_storage at{};
  (void)group(v4).to_sockaddr(at);
  int done = 0;
  if (v4) {
    ip_mreqn request{};
    request.imr_multiaddr = reinterpret_cast<const sockaddr_in*>(&at)->sin_addr;
    request.imr_ifindex = static_cast<int>(link);
    done = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  } else {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = reinterpret_cast<const sockaddr_in6*>(&at)->sin6_addr;
    request.ipv6mr_interface = link;
    done = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  return done == 0 || errno == EADDRINUSE;
}

}  // namespace

LanSocket::LanSocket(asio::io_context& io, std::string except,
                     std::function<void(ByteView)> on_datagram)
    : io_(io), except_(std::move(except)), on_datagram_(std::move(on_datagram)) {
  for (const bool v4 : {true, false}) {
    Fd fd = open_socket(v4);
    if (!fd) {
      log::debug("nobody is looked for by {}: {}", v4 ? "IPv4" : "IPv6", std::strerror(errno));
      continue;
    }
    auto& family = v4 ? v4_ : v6_;
    family.emplace(Family{v4, asio::posix::stream_descriptor(io_, fd.release()), {}});
  }
  if (!v4_ && !v6_) {
    throw std::runtime_error("UDP port " + std::to_string(kPort) + ": " + std::strerror(errno));
  }
  look_again();
  for (auto* const family : {&v4_, &v6_}) {
    if (*family) wait(**family);
  }
}

void LanSocket::look_again() {
  for (auto* const family : {&v4_, &v6_}) {
    if (!*family) continue;
    std::vector<unsigned> joined;
    for (const unsigned link : links(except_, (*family)->v4)) {
      const bool known = std::ranges::find((*family)->joined, link) != (*family)->joined.end();
      if (known || join((*family)->socket.native_handle(), (*family)->v4, link))
        joined.push_back(link);
    }
    (*family)->joined = std::move(joined);  // the kernel leaves a group with its link
  }
}

void LanSocket::send(ByteView datagram) {
  for (auto* const family : {&v4_, &v6_}) {
    if (!*family) continue;
    const int fd = (*family)->socket.native_handle();
    sockaddr_storage to{};
    const auto size = static_cast<socklen_t>(group((*family)->v4).to_sockaddr(to));
    for (const unsigned link : (*family)->joined) {
      if ((*family)->v4) {
        const ip_mreqn by{{}, {}, static_cast<int>(link)};
        (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by);
      } else {
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(link));
      }
      (void)::sendto(fd, datagram.data(), datagram.size(), MSG_DONTWAIT,
                     reinterpret_cast<const sockaddr*>(&to), size);
    }
  }
}

void LanSocket::wait(Family& family) {
  family.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, &family](const std::error_code& error) {
                             if (error) return;
                             read(family);
                             if (family.socket.is_open()) wait(family);
                           });
}

void LanSocket::read(Family& family) {
  std::array<std::uint8_t, LanMessage::kMaxSize + 1> buffer;
  for (unsigned i = 0; i < kMostReads && family.socket.is_open(); ++i) {
    const ssize_t size =
        ::recv(family.socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return;
    on_datagram_(ByteView(buffer).first(static_cast<std::size_t>(size)));
  }
}

void LanSocket::stop() {
  for (auto* const family : {&v4_, &v6_}) {
    if (*family) (*family)->socket.close();
  }
}

}  // namespace ipop::overlay
