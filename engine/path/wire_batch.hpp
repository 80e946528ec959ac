// What leaves by the wire in one turn: datagrams that are ready, and plaintexts that are sealed
// together just before they go. Super-packets become trains here, or single datagrams where the
// port has no use for trains: segmented and sealed in one pass, straight into the buffers that
// leave. Takes nonces: the one place that does. One lcore.
#pragma once

#include <array>
#include <cstdint>

#include "engine/aead/aead.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/segment.hpp"
#include "engine/port/port.hpp"
#include "engine/table/lane.hpp"

namespace ipop::engine {

class WireBatch {
 public:
  // Datagrams of a train: what every kernel with UDP_SEGMENT takes.
  static constexpr std::uint32_t kMaxTrain = 64;
  // And their bytes: the payload of one IPv4 packet.
  static constexpr std::uint32_t kMaxTrainBytes = 65535 - 20 - 8;
  // More than this does not wait for the end of the turn: it would push itself out of the cache,
  // and the far end could already be at work.
  static constexpr std::uint32_t kFlushBytes = 32 * 1024;
  // But then a multiple of so many is sealed: ChaCha20-Poly1305 takes as long for less than eight.
  static constexpr std::uint16_t kSealedTogether = 8;

  WireBatch(WirePort& port, AeadEngine& aead, const PacketPools& pools,
            LcoreCounters& counters) noexcept
      : port_(port),
        aead_(aead),
        pools_(pools),
        counters_(counters),
        trains_(port.takes_trains()) {}

  // A plaintext of at most `room` bytes, one segment, with head- and tailroom (kPacketOverhead).
  // The lane must not be spent.
  void seal(rte_mbuf* plaintext, SendLane& lane, const Endpoint& to, std::uint32_t room,
            Instant now) noexcept;
  // The same for a host packet: counted as the peer's data.
  void seal_data(rte_mbuf* plaintext, SendLane& lane, const Endpoint& to, std::uint32_t room,
                 Instant now) noexcept {
    lane.data_packets.add(1);
    lane.data_bytes.add(plaintext->pkt_len);
    lane.last_data.set(now);
    seal(plaintext, lane, to, room, now);
  }
  // The segments of a super-packet, each at most `room` bytes. `packet` starts at its IP header; it
  // is written to and freed.
  void seal_super(rte_mbuf* packet, const SuperPacket& super, SendLane& lane, const Endpoint& to,
                  std::uint32_t room, Instant now) noexcept;
  // A whole datagram, its destination in meta(). All that goes to a relay gets its header here.
  void send(rte_mbuf* datagram) noexcept;
  // Everything goes; each packet's fate is counted.
  void flush() noexcept;

 private:
  void add(rte_mbuf* packet, bool may_flush) noexcept;
  // A super-packet on its way out.
  struct Sealing {
    const std::uint8_t* source;  // its IP header
    const SuperPacket& super;
    SendLane& lane;
    const Endpoint& to;
    std::uint32_t room;
    bool as_it_is;
  };

  // Of the segment's padded text.
  [[nodiscard]] std::uint32_t sealed_length(const Sealing& from,
                                            std::uint32_t index) const noexcept;
  // Writes a segment's datagram to `at`, but for what sealing writes; returns its size.
  std::uint32_t lay_out(const Sealing& from, std::uint32_t index, std::uint32_t length,
                        std::uint32_t slot, std::uint8_t* at) noexcept;
  // What was laid out in the first `count` slots.
  [[nodiscard]] bool seal_segments(const Sealing& from, std::uint32_t count) noexcept;
  // Both seal as many of the segments from `first` on as one train, or one burst, holds; they
  // return how many. 0: there is no buffer for it, or the AEAD failed.
  [[nodiscard]] std::uint32_t seal_train(const Sealing& from, std::uint32_t first) noexcept;
  [[nodiscard]] std::uint32_t seal_one_by_one(const Sealing& from, std::uint32_t first) noexcept;
  // An AEAD that fails must not let plaintext out.
  void drop_unsealed() noexcept;

  WirePort& port_;
  AeadEngine& aead_;
  PacketPools pools_;
  LcoreCounters& counters_;
  const bool trains_;
  std::uint16_t packet_count_ = 0;
  std::uint16_t job_count_ = 0;
  std::uint32_t bytes_ = 0;
  std::array<rte_mbuf*, kBurst> packets_;
  std::array<AeadJob, kBurst> jobs_;
  std::array<AeadJob, kMaxTrain> segment_jobs_;
  std::array<std::array<std::uint8_t, SuperPacket::kMaxHeaders>, kMaxTrain> segment_headers_;
};

}  // namespace ipop::engine
