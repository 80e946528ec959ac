// A host port that costs next to nothing: frames that were laid in come out in the next burst, and
// frames for the host are only counted. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "engine/port/port.hpp"

namespace ipop::perf {

class CountingHostPort final : public engine::HostPort {
 public:
  // At most kBurst; what was laid in before has been taken.
  void lay_in(std::span<rte_mbuf* const> frames) noexcept {
    std::ranges::copy(frames, waiting_.begin());
    count_ = static_cast<std::uint16_t>(frames.size());
  }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t packets() const noexcept { return packets_; }

  std::uint16_t rx_burst(const engine::PacketPools&, std::span<rte_mbuf*> into) noexcept override {
    std::copy_n(waiting_.begin(), count_, into.begin());
    return std::exchange(count_, std::uint16_t{0});
  }
  engine::HostWritten tx_burst(std::span<const engine::HostFrame> frames) noexcept override {
    frames_ += frames.size();
    engine::HostWritten written;
    for (const engine::HostFrame& frame : frames)
      written.delivered += frame.packets;
    packets_ += written.delivered;
    return written;
  }
  [[nodiscard]] engine::HostOffloads offloads() const noexcept override {
    return {.tcp = true, .udp = true};
  }
  std::size_t wait_fds(std::span<int, engine::kMaxWaitFds>) const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t neighbour_answered() const noexcept override { return 0; }

 private:
  std::array<rte_mbuf*, engine::kBurst> waiting_{};
  std::uint16_t count_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t packets_ = 0;
};

}  // namespace ipop::perf
