#include "app/sd_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/fd.hpp"

namespace ipop::app {

SdNotifier SdNotifier::from_environment() {
  const char* const socket = std::getenv("NOTIFY_SOCKET");
  return SdNotifier(socket != nullptr ? socket : "");
}

Result<void> SdNotifier::notify(std::string_view state) const {
  if (socket_.empty()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if ((socket_[0] != '/' && socket_[0] != '@') || socket_.size() >= sizeof address.sun_path) {
    return fail("NOTIFY_SOCKET is not the path of a socket");
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  // An abstract name starts with a zero byte and is as long as the address says.
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());

  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("making a socket for NOTIFY_SOCKET", errno);
  const ssize_t sent = ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) return fail_errno("writing to NOTIFY_SOCKET", errno);
  return {};
}

}  // namespace ipop::app
