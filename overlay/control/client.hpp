// The other end of the control socket, for `ipop`: blocking, each call with a deadline. Not for the
// daemon's threads.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace ipop::overlay::control {

struct Answer;

class Client {
 public:
  using Timeout = std::chrono::milliseconds;

  // To the daemon with this runtime directory. The error says what to do if none answers.
  [[nodiscard]] static Result<Client> connect(const std::filesystem::path& runtime);

  // One request and its one answer: the "result", or what the daemon says is wrong.
  [[nodiscard]] Result<nlohmann::ordered_json> call(const nlohmann::ordered_json& request,
                                                    Timeout timeout);

  // The same in two steps, for requests with several answers (ping).
  [[nodiscard]] Result<void> send(const nlohmann::ordered_json& request, Timeout timeout);
  [[nodiscard]] Result<Answer> receive(Timeout timeout);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  Client(Fd socket, std::string where) : socket_(std::move(socket)), where_(std::move(where)) {}
  [[nodiscard]] Result<std::string> receive_line(Deadline deadline);
  [[nodiscard]] Result<void> wait_for(short events, Deadline deadline) const;

  Fd socket_;
  std::string where_;  // the socket's path
  std::string input_;
};

}  // namespace ipop::overlay::control
