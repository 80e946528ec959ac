#include "overlay/control/server.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "overlay/control/connection.hpp"

namespace ipop::overlay::control {
namespace {

using Protocol = asio::local::stream_protocol;

[[noreturn]] void throw_errno(const std::string& what, int number) {
  throw std::runtime_error(what + ": " + std::generic_category().message(number));
}

void remove_stale_socket(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    throw_errno(path, errno);
  }
  if (!S_ISSOCK(found.st_mode)) {
    throw std::runtime_error(path + " is in the way: it is not a socket");
  }
  if (::unlink(path.c_str()) != 0) throw_errno("removing the old " + path, errno);
}

}  // namespace

Server::Server(asio::io_context& loop, const RuntimeDirectory& runtime, std::string version,
               Handlers handlers, ServerLimits limits)
    : path_(socket_path(runtime.path())),
      version_(std::move(version)),
      handlers_(std::move(handlers)),
      limits_(limits),
      acceptor_(loop),
      accept_again_(loop) {
  const std::string path = path_.string();
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    throw std::runtime_error("the path " + path + " is too long for a socket: choose a shorter " +
                             "runtime directory");
  }
  remove_stale_socket(path);
  // Under its name only when it listens: whoever sees the file is answered.
  const std::string unready = (runtime.path() / "control.new").string();
  remove_stale_socket(unready);
  try {
    acceptor_.open();
    // Linux gives the file the mode of the socket, so that it never stands there with a wider one.
    if (::fchmod(acceptor_.native_handle(), 0600) != 0) throw_errno("fchmod", errno);
    acceptor_.bind(Protocol::endpoint(unready));
    acceptor_.listen();
    if (::rename(unready.c_str(), path.c_str()) != 0) {
      const int number = errno;
      ::unlink(unready.c_str());
      throw_errno("putting the control socket at " + path, number);
    }
  } catch (const std::system_error& error) {
    throw std::runtime_error("opening the control socket " + path + ": " + error.code().message());
  }
  accept();
}

Server::~Server() {
  std::error_code ignored;
  acceptor_.close(ignored);
  accept_again_.cancel();
  ::unlink(path_.c_str());
  while (!connections_.empty()) {
    const auto last = connections_.back();
    last->close();  // takes itself out of the list
  }
}

void Server::accept() {
  acceptor_.async_accept([this](const std::error_code& error, Protocol::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    // Out of descriptors, as a rule: the client stays in the queue until some are free again.
    accept_again_.expires_after(std::chrono::seconds(1));
    accept_again_.async_wait([this](const std::error_code& cancelled) {
      if (!cancelled) accept();
    });
  });
}

void Server::admit(Protocol::socket socket) {
  // Those who are being refused take room too, for as long as it takes them to read it.
  if (connections_.size() >= 2 * limits_.clients) return;
  const auto connection = std::make_shared<Connection>(
      std::move(socket), version_, handlers_, limits_, [this](Connection& closed) {
        std::erase_if(connections_, [&](const auto& held) { return held.get() == &closed; });
      });
  connections_.push_back(connection);
  if (connections_.size() > limits_.clients) {
    return connection->refuse(std::to_string(limits_.clients) +
                              " clients are connected already: try again");
  }
  connection->start();
}

}  // namespace ipop::overlay::control
