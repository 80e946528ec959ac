// The UDP ports that a wire without a kernel listens to: the one that everybody is told, and those
// of further sockets. The overlay thread opens and closes; the lcore asks for each datagram.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>

#include "base/error.hpp"
#include "engine/api/types.hpp"
#include "engine/api/wire_sockets.hpp"

namespace ipop::engine {

class PortNumbers {
 public:
  explicit PortNumbers(std::uint16_t main);

  [[nodiscard]] std::uint16_t main() const noexcept { return main_; }

  // Overlay thread. As WireSockets::open_socket().
  [[nodiscard]] Result<std::uint16_t> open();
  void close(std::uint16_t socket) noexcept;

  // Lcore. The port that a socket sends by; 0 if it is closed.
  [[nodiscard]] std::uint16_t port_of(std::uint16_t socket) const noexcept {
    if (socket == 0) return main_;
    if (socket > kLaneSockets) return lane_port(socket);
    return socket < kNumbers ? ports_[socket].load(std::memory_order_relaxed) : std::uint16_t{0};
  }
  // The socket that listens to a port; -1 if none does.
  [[nodiscard]] int socket_at(std::uint16_t port) const noexcept {
    if (port == main_) return 0;
    const std::uint16_t socket = (*sockets_)[port].load(std::memory_order_relaxed);
    return socket == 0 ? -1 : socket;
  }

 private:
  // Of what lanes send by: those behind the main one; nobody listens to them.
  [[nodiscard]] std::uint16_t lane_port(std::uint16_t socket) const noexcept {
    const unsigned lane = socket - kLaneSockets;
    if (lane >= kMaxLanes) return 0;
    return static_cast<std::uint16_t>(main_ + lane > 65535 ? main_ - lane : main_ + lane);
  }

  // So many that a number rests before it is used again.
  static constexpr std::uint16_t kNumbers = 4 * WireSockets::kMost + 1;

  const std::uint16_t main_;
  // 0: closed. Overlay thread: rw, lcore: r
  std::array<std::atomic<std::uint16_t>, kNumbers> ports_{};
  std::unique_ptr<std::array<std::atomic<std::uint16_t>, 65536>> sockets_;
  std::size_t open_ = 0;
  std::uint16_t last_ = 0;  // number given
  std::minstd_rand random_;
};

}  // namespace ipop::engine
