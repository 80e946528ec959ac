// Sockets of the wire's own port by which the kernel hands over what is for the overlay:
// handshakes, the hash table, STUN. Anybody may send that, from any source, so it waits in a queue
// of its own: while members send, little of it is read, and what comes beyond that the kernel
// drops, which costs far less than reading it. One lcore.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "engine/port/udp_channel.hpp"

namespace ipop::engine {

class OverlaySockets {
 public:
  // Most of one read, so that there is room for members in every burst.
  static constexpr std::size_t kMost = kBurst / 2;
  // While members send, so many in this time: 16,000 a second. A flood of any size then takes 3 %
  // of a processor, and the overlay could not do more with it.
  static constexpr Duration kPause = std::chrono::milliseconds(1);

  // The second socket at each of `bound`, which must share its port. Throws std::runtime_error.
  OverlaySockets(const std::vector<Endpoint>& bound, bool trains);
  OverlaySockets(const OverlaySockets&) = delete;
  OverlaySockets& operator=(const OverlaySockets&) = delete;

  [[nodiscard]] std::uint16_t receive(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept;
  // Members sent something: for some time there is a pause after each read.
  void pause() noexcept { paused_reads_ = kPausedReads; }
  void release_buffers() noexcept { spares_.release(); }

  // Readable while one of them is, unless the lcore goes to sleep in a pause.
  [[nodiscard]] int wait_fd() const noexcept { return ready_.get(); }
  // Any thread: what came and found no room.
  [[nodiscard]] std::uint64_t missed() const noexcept;
  // Before the lcore sleeps; and then, how long it may.
  void arm() noexcept;
  [[nodiscard]] Duration longest_sleep() const noexcept { return longest_sleep_; }

 private:
  // Small datagrams for less than a tenth of a second: later answers would come too late.
  static constexpr int kBufferBytes = 1 << 20;
  // While nothing comes by them, the kernel is asked only every kSkip turns.
  static constexpr std::uint32_t kPatient = 32;
  static constexpr std::uint32_t kSkip = 8;

  // After members sent something. Not one alone: when the processor is short of time, members'
  // packets come in bursts, with reads in between that find none.
  static constexpr std::uint32_t kPausedReads = 10;

  void watch(bool on) noexcept;

  std::vector<UdpChannel> channels_;
  Fd ready_;  // epoll: what has something to read
  SpareBuffers spares_;
  Instant pause_end_{};
  Duration longest_sleep_ = Duration::max();
  std::uint32_t paused_reads_ = 0;
  bool watched_ = true;
  std::uint32_t empty_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace ipop::engine
