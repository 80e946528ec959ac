#include "overlay/control/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "overlay/control/answer.hpp"
#include "overlay/control/runtime_directory.hpp"
#include "overlay/status_json.hpp"

namespace ipop::overlay::control {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

// A daemon's answer is bounded too; this is what a client holds at most.
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;

Result<Answer> parse_answer(const std::string& line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean()) {
    return fail(
        "the daemon gave an answer that is not understood: are ipop and ipopd of one "
        "version?");
  }
  if (!json["ok"].get<bool>()) {
    const auto error = json.find("error");
    const bool told = error != json.end() && error->is_string();
    return fail(told ? error->get<std::string>() : "the daemon refused, and did not say why");
  }
  Answer answer;
  if (const auto done = json.find("done"); done != json.end()) {
    answer.done = done->is_boolean() && done->get<bool>();
  }
  if (const auto result = json.find("result"); result != json.end()) {
    answer.result = std::move(*result);
  }
  return answer;
}

}  // namespace

Result<Client> Client::connect(const std::filesystem::path& runtime) {
  const std::string path = socket_path(runtime).string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail("the path " + path + " is too long for a socket");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);

  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("making a socket", errno);
  // A local connect ends at once: the kernel queues it, or refuses it.
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return Client(std::move(socket), path);
  }
  if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED) {
    return fail("no ipopd answers at " + path + ": is it running? start it with `ipop up`");
  }
  if (errno == EACCES || errno == EPERM) {
    return fail("talking to ipopd at " + path + " is not permitted: try as root");
  }
  return fail_errno("connecting to " + path, errno);
}

Result<Json> Client::call(const Json& request, Timeout timeout) {
  if (const auto sent = send(request, timeout); !sent) return std::unexpected(sent.error());
  auto answer = receive(timeout);
  if (!answer) return std::unexpected(answer.error());
  return std::move(answer->result);
}

Result<void> Client::send(const Json& request, Timeout timeout) {
  const Deadline deadline = Clock::now() + timeout;
  const std::string line = to_text(request) + '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EPIPE || errno == ECONNRESET) {
      // It hung up; what it said before, such as that it has too many clients, is still to be read.
      return {};
    }
    if (errno != EAGAIN && errno != EINTR) return fail_errno("writing to " + where_, errno);
    if (auto ready = wait_for(POLLOUT, deadline); !ready) return ready;
  }
  return {};
}

Result<Answer> Client::receive(Timeout timeout) {
  const auto line = receive_line(Clock::now() + timeout);
  if (!line) return std::unexpected(line.error());
  return parse_answer(*line);
}

Result<std::string> Client::receive_line(Deadline deadline) {
  std::size_t searched = 0;
  for (;;) {
    if (const auto end = input_.find('\n', searched); end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      return line;
    }
    searched = input_.size();
    if (searched > kMaxAnswer) return fail("the answer of ipopd at " + where_ + " has no end");
    if (const auto ready = wait_for(POLLIN, deadline); !ready) {
      return std::unexpected(ready.error());
    }
    std::array<char, 16 * 1024> part;
    const ssize_t got = ::recv(socket_.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (got > 0) {
      input_.append(part.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno == ECONNRESET) {
      return fail("ipopd at " + where_ + " hung up without an answer");
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail_errno("reading from " + where_, errno);
    }
  }
}

Result<void> Client::wait_for(short events, Deadline deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail("ipopd at " + where_ + " does not answer in time");
    pollfd wait{.fd = socket_.get(), .events = events, .revents = 0};
    const auto longest = std::min<std::chrono::milliseconds::rep>(left.count(), 60'000);
    const int ready = ::poll(&wait, 1, static_cast<int>(longest));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("waiting for " + where_, errno);
  }
}

}  // namespace ipop::overlay::control
