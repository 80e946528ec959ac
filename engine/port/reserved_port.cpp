#include "engine/port/reserved_port.hpp"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

namespace ipop::engine {

std::optional<ReservedPort> ReservedPort::of(const Endpoint& endpoint) {
  sockaddr_storage address{};
  const std::size_t length = endpoint.to_sockaddr(address);
  Fd socket(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return std::nullopt;
  const int yes = 1;
  if (address.ss_family == AF_INET6) {
    (void)setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  }
  // Keeps no byte of any packet, which drops it.
  sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{.len = 1, .filter = none};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(length)) != 0) {
    return std::nullopt;
  }
  return ReservedPort(std::move(socket));
}

}  // namespace ipop::engine
