// What leaves by the wire in one turn: datagrams that are ready, and plaintexts that are sealed
// together just before they go. Takes nonces: the one place that does. One lcore.
#pragma once

#include <array>
#include <cstdint>

#include "engine/aead/aead.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/port/port.hpp"
#include "engine/table/session.hpp"

namespace ipop::engine {

class WireBatch {
 public:
  WireBatch(WirePort& port, AeadEngine& aead, LcoreCounters& counters) noexcept
      : port_(port), aead_(aead), counters_(counters) {}

  // A plaintext of at most `room` bytes, one segment, with head- and tailroom (kPacketOverhead).
  // The session must not be spent.
  void seal(rte_mbuf* plaintext, Session& session, const Endpoint& to, std::uint32_t room,
            Instant now) noexcept;
  // The same for a host packet: counted as the peer's data.
  void seal_data(rte_mbuf* plaintext, Session& session, const Endpoint& to, std::uint32_t room,
                 Instant now) noexcept {
    session.sent.data_packets.add(1);
    session.sent.data_bytes.add(plaintext->pkt_len);
    session.sent.last_data.set(now);
    seal(plaintext, session, to, room, now);
  }
  // A whole datagram, its destination in meta().
  void send(rte_mbuf* datagram) noexcept;
  // Everything goes; each packet's fate is counted.
  void flush() noexcept;

 private:
  void add(rte_mbuf* packet) noexcept;
  // An AEAD that fails must not let plaintext out.
  void drop_unsealed() noexcept;

  WirePort& port_;
  AeadEngine& aead_;
  LcoreCounters& counters_;
  std::uint16_t packet_count_ = 0;
  std::uint16_t job_count_ = 0;
  std::array<rte_mbuf*, kBurst> packets_;
  std::array<AeadJob, kBurst> jobs_;
};

}  // namespace ipop::engine
