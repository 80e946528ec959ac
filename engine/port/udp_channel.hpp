// One UDP socket of the wire: bursts go by recvmmsg and sendmmsg straight into and out of packet
// buffers; datagrams of one size to one endpoint go as one message (UDP_SEGMENT) and come as one
// (UDP_GRO) where the kernel has that, so that they cross it once. Its socket is opened elsewhere;
// the rest is the business of the one lcore that owns it, but that several may send by it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/fd.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

// Buffers for the next read, so that one that finds nothing costs the pool nothing. Shared by
// sockets only if all of them, or none, receive trains.
struct SpareBuffers {
  std::array<rte_mbuf*, kBurst> at{};
  std::uint32_t count = 0;

  void release() noexcept;
};

struct UdpChannel {
  Fd fd;
  bool v4 = false;
  bool segments = false;  // sends trains; lcores: rw, by atomic_ref
  bool receives_trains = false;
  std::uint16_t number = 0;     // Endpoint::socket of what comes by it
  std::uint32_t want = kBurst;  // buffers for the next read
  std::uint32_t empty = 0;      // reads in a row that found nothing

  [[nodiscard]] std::uint16_t receive(SpareBuffers& spares, const PacketPools& pools,
                                      std::span<rte_mbuf*> into) noexcept;
  // The buffers stay the caller's. Returns how many datagrams the kernel took.
  [[nodiscard]] std::uint32_t transmit(std::span<rte_mbuf* const> datagrams) noexcept;
  // Any thread: datagrams (a train counts once) that came and found no room in the socket.
  [[nodiscard]] std::uint64_t missed() const noexcept;

 private:
  [[nodiscard]] bool refill(SpareBuffers& spares, rte_mempool* pool,
                            std::size_t want_now) const noexcept;
};

}  // namespace ipop::engine
