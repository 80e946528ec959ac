// Frames for the host out of the packets of one turn: contiguous segments of a flow become one
// super-packet, everything else a frame of its own. Several flows at once; frames leave in the
// order of their first packets, and the packets of a flow never change places. What is merged could
// be told apart again without loss (as a kernel's GRO: same headers but for length, id, sequence
// and PSH or FIN at the end), and only if its checksums are right, or the transport's is partial.
// One lcore.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/path/inner_packet.hpp"
#include "engine/path/next_segment.hpp"
#include "engine/path/transport.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

class Coalescer {
 public:
  static constexpr std::uint16_t kFrames = 64;
  static constexpr std::uint16_t kPieces = 256;
  static constexpr std::uint16_t kPerFrame = 64;  // what a kernel merges at most
  static constexpr std::uint16_t kOpenFlows = 8;

  explicit Coalescer(HostOffloads offloads) noexcept : offloads_(offloads) {}

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] bool full() const noexcept { return count_ == kFrames || pieces_ == kPieces; }

  // A whole packet at its IP header, in a buffer that stays until clear(), with 14 bytes in front
  // of it that may be written. `transport`: what parse_transport() finds. `partial`:
  // its checksum is; then it has a transport header. Not when full. True: what comes next of this
  // flow is expected now, and extend() can take it.
  bool add(std::uint8_t* packet, const InnerPacket& inner, Transport transport,
           bool partial) noexcept;
  // Takes the packet, as it was opened, its partial checksum marked, if it is the expected one, to
  // the byte: what add() was told of the last one holds for it, but for the sequence. Any time.
  [[nodiscard]] bool extend(std::uint8_t* packet, std::uint32_t length) noexcept;

  // Completes the headers. No add() between this and clear().
  [[nodiscard]] std::span<const HostFrame> finish() noexcept;
  void clear() noexcept;

 private:
  // What is known of a frame beside what the host sees.
  struct Flow {
    std::uint8_t* packet = nullptr;  // its first
    Piece* last = nullptr;
    Transport transport;
    std::uint32_t next_sequence = 0;
    std::uint32_t key = 0;  // equal for packets of one flow, seldom for others
    bool partial = false;
    bool verified = false;  // the first packet's checksums were found right
  };

  // Its flow is for the caller to fill in.
  Flow& open_frame(std::uint8_t* packet, const InnerPacket& inner) noexcept;
  void keep_open(std::uint16_t index) noexcept;
  void close(std::uint16_t index) noexcept;
  void close_all() noexcept {
    open_count_ = 0;
    next_.forget();
  }
  [[nodiscard]] bool may_open(const std::uint8_t* packet, Transport transport) const noexcept;
  // The open frame of this packet's flow, or kFrames.
  [[nodiscard]] std::uint16_t find(const std::uint8_t* packet, Transport transport,
                                   std::uint32_t key) const noexcept;
  [[nodiscard]] bool fits(std::uint16_t index, const std::uint8_t* packet,
                          Transport transport) const noexcept;
  [[nodiscard]] bool checksums_allow(std::uint16_t index, const std::uint8_t* packet,
                                     const InnerPacket& inner, Transport transport,
                                     bool partial) noexcept;
  bool append(std::uint16_t index, std::uint8_t* packet, Transport transport) noexcept;
  [[nodiscard]] bool expect_next(std::uint16_t index, const std::uint8_t* packet,
                                 Transport transport, std::uint16_t before) noexcept;
  void add_piece(std::uint16_t index, std::uint8_t* at, std::uint32_t length) noexcept;
  void describe(HostFrame& frame, const Flow& flow) noexcept;

  HostOffloads offloads_;
  std::uint16_t count_ = 0;
  std::uint16_t pieces_ = 0;
  std::uint16_t open_count_ = 0;
  std::array<std::uint16_t, kOpenFlows> open_;  // indices of frames, the oldest first
  std::array<HostFrame, kFrames> frames_;
  std::array<Flow, kFrames> flows_;
  std::array<Piece, kPieces> more_;
  NextSegment next_;
  std::uint16_t next_frame_ = kFrames;  // whose next one that is
};

}  // namespace ipop::engine
