#include "engine/port/udp_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ipop::engine {
namespace {

void set_option(int fd, int level, int option, int value, const char* what) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) {
    throw std::runtime_error(std::string("UDP socket: ") + what + ": " + std::strerror(errno));
  }
}

// As root beyond the system's limit, else up to it.
void set_buffer(int fd, int forced, int plain, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) {
    (void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
  }
}

// Datagrams carry Don't Fragment, and the kernel neither lowers their size by what ICMP messages
// say nor refuses those that it thinks too long for the path: anybody can forge such messages, and
// the overlay finds out a path's size by probes of its own.
void forbid_fragments(int fd, bool v4) {
  if (v4) {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "path MTU discovery");
  } else {
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "path MTU discovery");
  }
}

[[noreturn]] void throw_bind_failure(const Endpoint& at, int number) {
  const std::string port = std::to_string(at.port);
  switch (number) {
    case EADDRINUSE:
      throw PortTaken("UDP port " + port +
                      " is taken (by another ipopd?): stop it, or set another port in "
                      "overlay.listen");
    case EACCES:
      throw std::runtime_error("no permission for UDP port " + port +
                               ": ports below 1024 need CAP_NET_BIND_SERVICE");
    case EADDRNOTAVAIL:
      throw std::runtime_error(at.address.to_string() +
                               " in overlay.listen is not an address of this machine");
    default:
      throw std::runtime_error("UDP port " + at.to_string() + ": " + std::strerror(number));
  }
}

}  // namespace

std::optional<Fd> open_udp_socket(const Endpoint& at, int buffer_bytes, PortUse use) {
  const bool v4 = at.address.is_v4();
  Fd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    if (errno == EAFNOSUPPORT) return std::nullopt;
    throw std::runtime_error(std::string("UDP socket: ") + std::strerror(errno));
  }
  if (!v4) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPv6 only");
  if (use == PortUse::kShared) share_port(fd);
  forbid_fragments(fd.get(), v4);
  set_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes);
  set_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes);

  sockaddr_storage address;
  const std::size_t size = at.to_sockaddr(address);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) !=
      0) {
    // IPv6 may be compiled in and switched off.
    if (errno == EADDRNOTAVAIL && at.address.is_unspecified()) return std::nullopt;
    throw_bind_failure(at, errno);
  }
  return fd;
}

void share_port(const Fd& socket) {
  set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1, "shared port");
}

std::uint16_t local_port(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error(std::string("UDP socket: ") + std::strerror(errno));
  }
  return Endpoint::from_sockaddr(address).port;
}

}  // namespace ipop::engine
