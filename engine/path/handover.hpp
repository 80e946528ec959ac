// Packets that one lcore took in and another has to deal with, as the peer's lane is that one's: a
// bounded ring from each lcore to each other one, for frames of the host and for datagrams.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "engine/bell.hpp"
#include "engine/ring.hpp"

namespace ipop::engine {

// All of an engine's. Made before its lcores run.
class HandoverRings {
 public:
  static constexpr std::uint32_t kPackets = 512;

  // A bell for each lcore, which outlive this. Throws std::runtime_error. EAL must run.
  explicit HandoverRings(std::vector<Bell*> bells);
  // Frees what was not taken: all lcores must have stopped.
  ~HandoverRings();
  HandoverRings(const HandoverRings&) = delete;
  HandoverRings& operator=(const HandoverRings&) = delete;

 private:
  friend class Handover;
  enum Side : std::uint8_t { kHost, kWire, kSides };

  [[nodiscard]] unsigned lcores() const noexcept { return static_cast<unsigned>(bells_.size()); }
  [[nodiscard]] rte_ring* between(unsigned from, unsigned to, Side side) const noexcept {
    return rings_[(from * lcores() + to) * kSides + side].get();
  }

  std::vector<Bell*> bells_;
  std::vector<Ring> rings_;  // none from an lcore to itself
};

// One lcore's end of them. An lcore alone has nobody to hand anything to.
class Handover {
 public:
  Handover() noexcept = default;
  Handover(HandoverRings& rings, unsigned lcore) noexcept : rings_(&rings), lcore_(lcore) {}

  // A frame as the host gave it, to lcore `to`, another one. False if there is no room: it stays
  // the caller's.
  [[nodiscard]] bool give_frame(unsigned to, rte_mbuf* frame) noexcept {
    return give(HandoverRings::kHost, to, frame);
  }
  // The same for a datagram, its source in meta().
  [[nodiscard]] bool give_datagram(unsigned to, rte_mbuf* datagram) noexcept {
    return give(HandoverRings::kWire, to, datagram);
  }
  // Once a turn: wakes those who were given something.
  void wake() noexcept;

  // What others gave; returns how many were written to `into`.
  [[nodiscard]] std::uint16_t take_frames(std::span<rte_mbuf*> into) noexcept {
    return take(HandoverRings::kHost, into);
  }
  [[nodiscard]] std::uint16_t take_datagrams(std::span<rte_mbuf*> into) noexcept {
    return take(HandoverRings::kWire, into);
  }
  [[nodiscard]] bool empty() const noexcept;

 private:
  [[nodiscard]] bool give(HandoverRings::Side side, unsigned to, rte_mbuf* packet) noexcept;
  [[nodiscard]] std::uint16_t take(HandoverRings::Side side, std::span<rte_mbuf*> into) noexcept;

  HandoverRings* rings_ = nullptr;
  unsigned lcore_ = 0;
  unsigned first_ = 0;          // who is served first, in turns
  std::uint64_t given_to_ = 0;  // a bit for each lcore
};

}  // namespace ipop::engine
