// The two kinds of port that a lcore polls, each a face with one call per burst. Frames and
// datagrams are rte_mbufs; what belongs to a packet besides its bytes is in its PacketMeta.
// Called by the one lcore that owns the port (one queue of it); counters may be read from
// elsewhere.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>

#include "base/ip.hpp"

namespace ipop::engine {

// In the private area of every mbuf of the engine's pool.
struct PacketMeta {
  Endpoint endpoint;  // wire: where a datagram came from, or goes to
};

[[nodiscard]] inline PacketMeta& meta(rte_mbuf* packet) noexcept {
  return *static_cast<PacketMeta*>(rte_mbuf_to_priv(packet));
}

inline constexpr std::uint16_t kBurst = 32;

// Most file descriptors that one port has to wait for.
inline constexpr std::size_t kMaxWaitFds = 4;

// Ethernet frames to and from the host's kernel. ARP and neighbour discovery are the port's own
// business: they never show up here.
class HostPort {
 public:
  virtual ~HostPort() = default;

  // Fills `into` (at most kBurst) with frames from `pool`; returns how many. Each starts at its
  // Ethernet header and holds an IPv4 or IPv6 EtherType, or one the caller has to drop.
  virtual std::uint16_t rx_burst(rte_mempool* pool, std::span<rte_mbuf*> into) noexcept = 0;
  // Takes frames from the front: returns how many were written, and frees those. The rest stay the
  // caller's.
  virtual std::uint16_t tx_burst(std::span<rte_mbuf*> frames) noexcept = 0;
  // Readable while rx_burst would find something. Returns how many were written to `into`.
  virtual std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept = 0;
  // ARP and ND questions answered by the port itself.
  [[nodiscard]] virtual std::uint64_t neighbour_answered() const noexcept = 0;
  // Source and destination of the Ethernet header that a frame to the host must carry.
  // `from` is the inner source address, of the packet's family.
  virtual void write_ethernet(std::uint8_t* header, const IpAddress& from) const noexcept = 0;
};

// UDP datagrams to and from the underlay, all by one local port.
class WirePort {
 public:
  virtual ~WirePort() = default;

  // Fills `into` (at most kBurst); each starts at its UDP payload, its source in meta().endpoint.
  virtual std::uint16_t rx_burst(rte_mempool* pool, std::span<rte_mbuf*> into) noexcept = 0;
  // Each starts at its UDP payload and goes to its meta().endpoint. Takes all: sends and frees what
  // the port accepts, frees and counts (returned by reference) what it refuses.
  virtual void tx_burst(std::span<rte_mbuf*> datagrams, std::uint16_t& sent,
                        std::uint16_t& refused) noexcept = 0;
  virtual std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept = 0;
};

}  // namespace ipop::engine
