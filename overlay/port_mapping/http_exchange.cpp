#include "overlay/port_mapping/http_exchange.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

namespace ipop::overlay::http {
namespace {

// A connected socket, or none.
Fd connect_to(const Endpoint& server, const Patience& patience) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage to{};
  const auto length = static_cast<socklen_t>(server.to_sockaddr(to));
  if (!socket) return socket;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), length) == 0) return socket;
  if (errno != EINPROGRESS || !patience.wait(socket.get(), POLLOUT)) return Fd();
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return Fd();
  return socket;
}

bool send_all(int socket, std::string_view request, const Patience& patience) {
  while (!request.empty()) {
    const ssize_t sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      request.remove_prefix(static_cast<std::size_t>(sent));
    } else if ((errno != EAGAIN && errno != EINTR) || !patience.wait(socket, POLLOUT)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<Answer> exchange(const Endpoint& server, std::string_view request,
                               const Patience& patience) {
  if (!server.address.is_v4()) return std::nullopt;
  const Fd socket = connect_to(server, patience);
  if (!socket || !send_all(socket.get(), request, patience)) return std::nullopt;
  std::string received;
  std::array<char, 4096> buffer;
  while (patience.wait(socket.get(), POLLIN)) {
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got > 0) received.append(buffer.data(), static_cast<std::size_t>(got));
    Answer answer;
    const Progress progress = parse_answer(received, got <= 0, answer);
    if (progress == Progress::kWhole) return answer;
    if (progress == Progress::kBroken || got <= 0) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ipop::overlay::http
