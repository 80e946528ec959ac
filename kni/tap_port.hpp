// The host port on a tap: frames between the host's kernel and the one lcore that owns it, one
// system call each. Answers ARP and neighbour discovery itself. With offloads a frame is up to 64
// KiB, a super-packet whose segments nobody has cut yet; the virtio-net header before each is
// checked whatever was asked for. It neither creates nor configures the interface (host_link.hpp).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "engine/port/port.hpp"
#include "kni/neighbour.hpp"
#include "kni/vnet_header.hpp"

namespace ipop::kni {

// Frames that came or went without the engine's knowing, since start.
struct TapCounters {
  std::uint64_t neighbour_answered = 0;
  std::uint64_t neighbour_ignored = 0;    // probes, announcements, questions about ourselves
  std::uint64_t neighbour_malformed = 0;  // questions that break their RFC
  std::uint64_t rx_malformed = 0;         // virtio-net header or frame that makes no sense; dropped
  std::uint64_t rx_too_long = 0;          // did not fit a packet buffer; dropped
  std::uint64_t rx_no_buffer = 0;         // times that reading waited for the pool
  std::uint64_t checksums_completed = 0;  // partial checksums made whole
  std::uint64_t errors = 0;               // reads and writes that failed for any other reason
};

class TapPort final : public engine::HostPort {
 public:
  // `fd` is a non-blocking tap in create_tap's format and stays the caller's, open for as long as
  // the port lives. `mac` is the interface's; `own` are its addresses; `offloads` what the kernel
  // takes.
  TapPort(int fd, const MacAddress& mac, std::vector<IpAddress> own,
          engine::HostOffloads offloads = {});

  std::uint16_t rx_burst(const engine::PacketPools& pools,
                         std::span<rte_mbuf*> into) noexcept override;
  engine::HostWritten tx_burst(std::span<const engine::HostFrame> frames) noexcept override;
  [[nodiscard]] engine::HostOffloads offloads() const noexcept override { return offloads_; }
  std::size_t wait_fds(std::span<int, engine::kMaxWaitFds> into) const noexcept override;
  [[nodiscard]] std::uint64_t neighbour_answered() const noexcept override;
  // Of a frame to the host; `from` is the inner source address, of the packet's family.
  void write_ethernet(std::uint8_t* header, const IpAddress& from) const noexcept;

  // Any thread; a snapshot may mix two bursts.
  [[nodiscard]] TapCounters counters() const noexcept;
  // The interface was deleted under us: nothing is read or written any more. Any thread.
  [[nodiscard]] bool gone() const noexcept { return gone_.load(std::memory_order_relaxed); }

 private:
  enum class Read : std::uint8_t { kFrame, kConsumed, kNothing };
  enum class Write : std::uint8_t { kWritten, kRefused, kNoRoom };
  enum Counter : std::uint8_t {
    kAnswered,
    kIgnored,
    kMalformedNeighbour,
    kMalformed,
    kTooLong,
    kNoBuffer,
    kCompleted,
    kErrors,
    kCounters,
  };

  // Into `frame`, or, if it is longer, into `super`, which may be null; `into` is the one.
  Read read_frame(rte_mbuf* frame, rte_mbuf* super, rte_mbuf*& into) noexcept;
  bool accept_header(const VnetHeader& header, rte_mbuf* frame) noexcept;
  bool answer_neighbour(ByteView frame) noexcept;
  Write write_frame(const engine::HostFrame& frame) noexcept;
  void note_error(int number) noexcept;
  void count(Counter counter) noexcept;

  int fd_;
  MacAddress mac_;
  NeighbourResponder responder_;
  engine::HostOffloads offloads_;
  Fd quiet_;                       // an eventfd that is never readable, see note_error()
  std::atomic<bool> gone_{false};  // lcore: w, any: r
  std::array<std::atomic<std::uint64_t>, kCounters> counts_{};  // lcore: w, any: r
};

}  // namespace ipop::kni
