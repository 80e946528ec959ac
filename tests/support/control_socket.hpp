// A control socket for tests: a real server on a loop in a thread of its own, in a temporary
// directory, with handlers that a test can replace, and a client that sends what no `ipop` would.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/fd.hpp"
#include "overlay/control/server.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay::control {

// Longer than anything here takes; only a failing test waits for it.
inline constexpr std::chrono::seconds kPatience{20};

class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& directory)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path(directory).c_str(), sizeof address.sun_path - 1);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << "connect: " << std::strerror(errno);
    }
  }

  // As much as the server takes, without waiting for it to take more.
  void send(std::string_view bytes) {
    (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  void hang_up() { socket_.reset(); }

  // The next line, or "<end>" if the server hung up, or "<silence>".
  std::string line() {
    for (;;) {
      if (const auto end = input_.find('\n'); end != std::string::npos) {
        std::string line = input_.substr(0, end);
        input_.erase(0, end + 1);
        return line;
      }
      pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      const auto patience = std::chrono::milliseconds(kPatience).count();
      if (::poll(&wait, 1, static_cast<int>(patience)) <= 0) return "<silence>";
      std::array<char, 4096> part;
      const ssize_t got = ::recv(socket_.get(), part.data(), part.size(), 0);
      if (got <= 0) return "<end>";
      input_.append(part.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  Fd socket_;
  std::string input_;
};

class ControlSocket : public ::testing::Test {
 protected:
  ControlSocket() {
    handlers_.status = [] { return Status{.hostname = "alice"}; };
    handlers_.peer = [](std::string_view who) -> Result<PeerStatus> {
      if (who == "bob") return PeerStatus{.hostname = "bob"};
      return fail("no peer " + std::string(who));
    };
    handlers_.ping = [](const PingRequest& request, const PingSink& sink) {
      for (unsigned i = 0; i < request.count; ++i)
        (void)sink(PingReply{.rtt_ms = 1.5});
    };
    handlers_.reload = [] {
      return Result<ReloadReport>(
          ReloadReport{.applied = {"log.level"}, .needs_restart = {"interface.mtu"}});
    };
    handlers_.stop = [this] { stopped_.set_value(); };
  }

  ~ControlSocket() override { stop(); }

  void start(ServerLimits limits = {}) {
    runtime_.emplace(directory());
    server_.emplace(loop_, *runtime_, "0.1.0", handlers_, limits);
    thread_ = std::thread([this] { loop_.run(); });
  }

  // The loop ends by itself once the server is gone: nothing of it may be left.
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(loop_, [this] {
      server_.reset();
      keep_running_.reset();
    });
    thread_.join();
    runtime_.reset();
  }

  // Runs `function` on the loop and gives back what it returned.
  template <typename Function>
  auto on_loop(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    asio::post(loop_, std::move(task));
    return result.get();
  }

  // Waits, with the loop running, until `condition` holds there.
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      if (on_loop(condition)) return true;
      std::this_thread::yield();
    }
    return false;
  }

  [[nodiscard]] const std::filesystem::path& directory() const { return temporary_.path(); }

  Handlers handlers_;
  std::promise<void> stopped_;
  asio::io_context loop_;
  std::optional<Server> server_;

 private:
  TemporaryDirectory temporary_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_{loop_.get_executor()};
  std::optional<RuntimeDirectory> runtime_;
  std::thread thread_;
};

}  // namespace ipop::overlay::control
