// The control socket: <runtime>/control.sock, mode 0600, one JSON object a line in both directions.
// Runs on the io_context of the overlay thread and never blocks it. Every client, request and
// answer is bounded. It knows nothing of the overlay but the handlers it is given.
//
//   {"command":"status"}            {"ok":true,"result":{…}}
//   {"command":"frobnicate"}        {"ok":false,"error":"…"}
//   {"command":"ping","address":…}  {"ok":true,"result":{…}} a reply, then
//                                   {"ok":true,"done":true,"result":{"sent":4,"answered":4}}
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "overlay/control/handlers.hpp"
#include "overlay/control/runtime_directory.hpp"

namespace ipop::overlay::control {

class Connection;

struct ServerLimits {
  std::size_t clients = 16;
  std::size_t request_bytes = 64 * 1024;
  // Answers that wait for a client to read them. One larger answer becomes an error; a client that
  // lets ping replies pile up to this is cut off.
  std::size_t answer_bytes = 16 * 1024 * 1024;
  // A client is cut off that neither completes a request nor takes an answer for this long.
  std::chrono::milliseconds idle = std::chrono::seconds(30);
};

class Server {
 public:
  // Replaces a socket that a dead daemon left: `runtime` holds the lock, so nobody serves it.
  // `version` answers the command of that name. Throws std::runtime_error.
  Server(asio::io_context& loop, const RuntimeDirectory& runtime, std::string version,
         Handlers handlers, ServerLimits limits = {});
  // Cuts off all clients and removes the socket. On the overlay thread, or when the loop is over.
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::size_t clients() const noexcept { return connections_.size(); }

 private:
  void accept();
  void admit(asio::local::stream_protocol::socket socket);

  std::filesystem::path path_;
  std::string version_;
  Handlers handlers_;
  ServerLimits limits_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer accept_again_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace ipop::overlay::control
