// Sockets of the wire that are opened and closed while it runs. The overlay thread opens, unlinks
// and, once no lcore can be using it any more, frees; the lcore sends by any of them and reads
// those that the kernel says have something.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "engine/api/wire_sockets.hpp"
#include "engine/port/udp_channel.hpp"

namespace ipop::engine {

class FurtherSockets {
 public:
  // Throws std::runtime_error. All are bound to `address` and ask for `trains`.
  FurtherSockets(const IpAddress& address, bool trains);
  FurtherSockets(const FurtherSockets&) = delete;
  FurtherSockets& operator=(const FurtherSockets&) = delete;

  // Overlay thread. As WireSockets has them; the number of a socket that is unlinked is free once
  // what unlink() returns was called, after the lcore's next quiescent state.
  [[nodiscard]] Result<std::uint16_t> open();
  [[nodiscard]] std::move_only_function<void()> unlink(std::uint16_t number);

  // Lcore.
  [[nodiscard]] UdpChannel* find(std::uint16_t number) noexcept;
  [[nodiscard]] std::uint16_t receive(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept;
  void release_buffers() noexcept { spares_.release(); }
  // Readable while one of them is.
  [[nodiscard]] int wait_fd() const noexcept { return ready_.get(); }

 private:
  static constexpr int kBufferBytes = 1 << 20;
  // While nothing comes by them, the kernel is asked only every kSkip turns.
  static constexpr std::uint32_t kPatient = 32;
  static constexpr std::uint32_t kSkip = 8;

  const IpAddress address_;
  const bool trains_;
  Fd ready_;  // epoll: what has something to read
  std::array<std::unique_ptr<UdpChannel>, WireSockets::kMost> owned_;    // overlay
  std::array<std::atomic<UdpChannel*>, WireSockets::kMost> channels_{};  // overlay: w, lcore: r
  std::atomic<std::uint32_t> count_{0};                                  // overlay: w, lcore: r
  std::size_t next_ = 0;                                                 // overlay
  SpareBuffers spares_;                                                  // lcore, as all below
  std::uint32_t empty_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace ipop::engine
