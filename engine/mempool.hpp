// A pool of packet buffers: every packet of the engine, in whatever direction, is one rte_mbuf of
// one, with a PacketMeta in its private area. Made and freed at start-up and shutdown; lcores and
// the overlay thread take buffers and give them back.
#pragma once

#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>

namespace ipop::engine {

// Bytes in front of and behind a packet that encap and decap need: outer header (16) or Ethernet
// and virtio-net headers (14 + 12) in front, padding and tag (15 + 16) behind. The front fits in
// RTE_PKTMBUF_HEADROOM, which leaves room for a whole relay header too.
inline constexpr std::uint32_t kPacketOverhead = 14 + 16 + 15 + 16;

struct PoolSettings {
  std::uint32_t packets = 8191;  // a power of two less one suits the ring beneath best
  // The largest IP packet that a buffer holds: the MTU of the host's interface, or more.
  std::uint32_t largest_packet = 1500;
};

// For super-packets and trains: as large as a buffer can be. As many as can be staged, as one burst
// of the wire takes, and some in between.
inline constexpr PoolSettings kSuperPool{.packets = 255, .largest_packet = 65535 - 128 - 61};

class Mempool {
 public:
  // Throws std::runtime_error. EAL must run.
  explicit Mempool(const PoolSettings& settings);
  ~Mempool();
  Mempool(const Mempool&) = delete;
  Mempool& operator=(const Mempool&) = delete;

  [[nodiscard]] rte_mempool* get() const noexcept { return pool_; }
  [[nodiscard]] std::uint32_t size() const noexcept;
  // Walks the caches of all lcores: for tests and shutdown.
  [[nodiscard]] std::uint32_t available() const noexcept;

  // EAL memory that such a pool takes, in bytes, a little above the truth.
  [[nodiscard]] static std::size_t memory(const PoolSettings& settings) noexcept;

 private:
  rte_mempool* pool_ = nullptr;
};

}  // namespace ipop::engine
