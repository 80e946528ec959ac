#include "overlay/port_mapping/gateway_question.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/fd.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstTimeout = 250ms;  // doubles
constexpr std::size_t kLongest = 1100;     // of PCP (RFC 6887 §7)

// Of a socket that only the router's own answers reach.
Fd connect_to(const Endpoint& endpoint) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage to{};
  const auto length = static_cast<socklen_t>(endpoint.to_sockaddr(to));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0)
    socket.reset();
  return socket;
}

}  // namespace

bool ask_gateway(const Endpoint& gateway, ByteView request, const Patience& patience,
                 const std::function<bool(ByteView)>& take) {
  const Fd socket = connect_to(gateway);
  if (!socket) return false;
  std::array<std::uint8_t, kLongest> buffer;
  for (Duration timeout = kFirstTimeout; timeout <= 4 * kFirstTimeout; timeout *= 2) {
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return false;
    const Patience until_next = patience.within(timeout);
    while (until_next.wait(socket.get(), POLLIN)) {
      const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
      // An ICMP error: nobody is there.
      if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (got > 0 && take(ByteView(buffer.data(), static_cast<std::size_t>(got)))) return true;
    }
    if (patience.over()) return false;
  }
  return false;
}

}  // namespace ipop::overlay
