// Ports without a kernel, for tests and perf/: what goes in is given by hand, what comes out is
// taken by hand. One thread polls a port (the lcore), one other may push and pop.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/fd.hpp"
#include "engine/port/port.hpp"
#include "engine/ring.hpp"

namespace ipop::engine {

// A bounded queue of packets from one thread to another, with a descriptor to wait for.
class PacketQueue {
 public:
  explicit PacketQueue(std::uint32_t size);
  // Frees what is left.
  ~PacketQueue();
  PacketQueue(const PacketQueue&) = delete;
  PacketQueue& operator=(const PacketQueue&) = delete;

  // Both take from the front, or fill from the front, and return how many.
  std::uint16_t push(std::span<rte_mbuf* const> packets) noexcept;
  std::uint16_t pop(std::span<rte_mbuf*> into) noexcept;
  [[nodiscard]] int wait_fd() const noexcept { return wait_fd_.get(); }

 private:
  Ring ring_;
  Fd wait_fd_;
  // True: wait_fd_ is, or will be, readable. Exchanges only. Both threads: rw
  alignas(64) std::atomic<bool> signalled_{false};
};

class MemoryHostPort final : public HostPort {
 public:
  explicit MemoryHostPort(std::uint32_t queue = 4096) : in_(queue), out_(queue) {}

  [[nodiscard]] PacketQueue& in() noexcept { return in_; }    // frames of the host
  [[nodiscard]] PacketQueue& out() noexcept { return out_; }  // frames for the host

  std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept override;
  // Copies each frame into a chain of buffers with the marks that HostPort::rx_burst describes.
  // Ethernet destination 02:00:00:00:00:01; the source ends in the last four bytes of the inner.
  HostWritten tx_burst(std::span<const HostFrame> frames) noexcept override;
  [[nodiscard]] HostOffloads offloads() const noexcept override {
    return {.tcp = true, .udp = true};
  }
  std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept override;
  [[nodiscard]] std::uint64_t neighbour_answered() const noexcept override { return 0; }

 private:
  rte_mempool* pool_ = nullptr;  // of the last rx_burst
  PacketQueue in_;
  PacketQueue out_;
};

class MemoryWirePort final : public WirePort {
 public:
  explicit MemoryWirePort(std::uint32_t queue = 4096) : in_(queue), out_(queue) {}

  [[nodiscard]] PacketQueue& in() noexcept { return in_; }    // meta(): where from
  [[nodiscard]] PacketQueue& out() noexcept { return out_; }  // meta(): where to

  std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept override;
  void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override;
  std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept override;

 private:
  PacketQueue in_;
  PacketQueue out_;
};

}  // namespace ipop::engine
