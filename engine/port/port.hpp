// The two kinds of port that a lcore polls, each a face with one call per burst. Frames and
// datagrams are rte_mbufs; what belongs to a packet besides its bytes is in its PacketMeta.
// Called by the one lcore that owns the port (one queue of it); counters may be read from
// elsewhere.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"
#include "engine/api/wire_event.hpp"
#include "engine/port/host_frame.hpp"
#include "engine/port/packet_pools.hpp"

namespace ipop::engine {

// In the private area of every mbuf of the engine's pools.
struct PacketMeta {
  Endpoint endpoint;  // wire: where a datagram came from, or goes to
};

[[nodiscard]] inline PacketMeta& meta(rte_mbuf* packet) noexcept {
  return *static_cast<PacketMeta*>(rte_mbuf_to_priv(packet));
}

inline constexpr std::uint16_t kBurst = 32;

// Most file descriptors that one port has to wait for.
inline constexpr std::size_t kMaxWaitFds = 4;

// What a host port can take besides frames of one packet.
struct HostOffloads {
  bool tcp = false;  // Segmentation::kTcp4 and kTcp6
  bool udp = false;  // Segmentation::kUdp
};

// Ethernet frames to and from the host's kernel. ARP and neighbour discovery are the port's own
// business: they never show up here.
// What became of frames for the host, in packets of wire size.
struct HostWritten {
  std::uint32_t delivered = 0;
  std::uint32_t refused = 0;
};

class HostPort {
 public:
  virtual ~HostPort() = default;

  // Fills `into` (at most kBurst, fewer when they are large) with frames from `pools`; returns how
  // many. Each starts at its Ethernet header and holds an IPv4 or IPv6 EtherType, or one the caller
  // has to drop. A super-packet has tso_segsz (payload bytes of a segment), l2_len, l3_len, l4_len
  // and RTE_MBUF_F_TX_TCP_SEG or RTE_MBUF_F_TX_UDP_SEG; a packet whose transport checksum is the
  // pseudo-header's sum alone has l2_len, l3_len and RTE_MBUF_F_TX_TCP_CKSUM or
  // RTE_MBUF_F_TX_UDP_CKSUM. The port has checked that these lengths lie inside the frame.
  virtual std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept = 0;
  // Writes the Ethernet header of each frame, and then the frame; the buffers stay the caller's. A
  // frame that the host refuses does not keep the others back; after one for which there was no
  // room, none is tried.
  virtual HostWritten tx_burst(std::span<const HostFrame> frames) noexcept = 0;
  [[nodiscard]] virtual HostOffloads offloads() const noexcept = 0;
  // Readable while rx_burst would find something. Returns how many were written to `into`.
  virtual std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept = 0;
  // ARP and ND questions answered by the port itself.
  [[nodiscard]] virtual std::uint64_t neighbour_answered() const noexcept = 0;
};

// UDP datagrams to and from the underlay, by the one local port that everybody is told, unless the
// endpoint names another socket. A buffer with a tso_segsz is a
// train: datagrams of that size one behind another, the last perhaps shorter, to or from one
// endpoint. Counts are of datagrams.
class WirePort {
 public:
  virtual ~WirePort() = default;

  // Fills `into` (at most kBurst, fewer when they are large) with datagrams and trains, each
  // starting at its UDP payload, its source in meta().endpoint.
  virtual std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept = 0;
  // Each starts at its UDP payload and goes to its meta().endpoint. Takes all: sends and frees what
  // the port accepts, frees and counts (returned by reference) what it refuses.
  virtual void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                        std::uint32_t& refused) noexcept = 0;
  // Whether it is worth making trains for it; it takes them all the same.
  [[nodiscard]] virtual bool takes_trains() const noexcept { return true; }
  // Gives back the buffers that it keeps for its next reads. At the end.
  virtual void release_buffers() noexcept {}
  virtual std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept = 0;

  // Start-up thread, before the lcore runs: the pools that rx_burst will be called with. Throws
  // std::runtime_error.
  virtual void attach(const PacketPools&) {}
  // The time: at first, now and then, and after each sleep.
  virtual void tick(Instant) noexcept {}
  // Before the lcore sleeps: from now on one of wait_fds() says what comes. False if something is
  // there already. And after it has slept.
  [[nodiscard]] virtual bool arm() noexcept { return true; }
  virtual void disarm() noexcept {}
  // The longest that the lcore may sleep if nothing wakes it.
  [[nodiscard]] virtual Duration longest_sleep() const noexcept { return Duration::max(); }
  // Frames that were not datagrams for us, and what became of datagrams after they were sent.
  // Any thread.
  [[nodiscard]] virtual WireEvents events() const noexcept { return {}; }

  // What it was made of is there no more: nothing will ever come or go. Any thread.
  [[nodiscard]] virtual bool is_gone() const noexcept { return false; }

  // Overlay thread: as WireSockets has them. What unlink_socket() returns is to be called once the
  // lcore has passed a quiescent state.
  [[nodiscard]] virtual Result<std::uint16_t> open_socket() {
    return fail("this wire has one port for everything");
  }
  [[nodiscard]] virtual std::move_only_function<void()> unlink_socket(std::uint16_t) {
    return [] {};
  }
  [[nodiscard]] virtual unsigned lane_ports() const noexcept { return 0; }
};

}  // namespace ipop::engine
