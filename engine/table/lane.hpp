// A session's lanes, each with its own counters, so that lcores can seal and open for one peer at
// the same time and share nothing that they write. A lane's number stands in the uppermost byte of
// its counters: one key serves them all, and no nonce is used twice. A session that knows of no
// lanes (WireGuard's) has one, number 0. In each direction a lane is used by one lcore alone.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/aead/aead.hpp"
#include "engine/api/types.hpp"
#include "engine/owned_counter.hpp"
#include "engine/path/replay_window.hpp"

namespace ipop::engine {

inline constexpr unsigned kLaneShift = 56;
inline constexpr std::uint64_t kLaneCounterMask = (std::uint64_t{1} << kLaneShift) - 1;
// What one lane may seal: far beyond any key's life, and never another lane's counters.
inline constexpr std::uint64_t kMostOfALane = kLaneCounterMask - ReplayWindow::kSize;

// What one direction did. lcore: rw, overlay: r
struct Traffic {
  OwnedCounter packets;  // of all kinds; sealing: also the next nonce
  OwnedCounter data_packets;
  OwnedCounter data_bytes;  // of inner packets
  OwnedTime last_data;
  OwnedTime last;
};

// One line of the cache: with many peers the lines that a packet touches are what it costs.
struct alignas(64) SendLane : Traffic {
  // lcore: r, overlay: w before it publishes
  Instant send_until{};
  const AeadKey* key = nullptr;
  std::uint32_t remote = 0;
  bool pads = false;  // plaintexts to a multiple of 16 bytes, as WireGuard does
  bool partial_checksums = false;
  std::uint8_t number = 0;
  std::uint8_t lanes = 1;  // of the session, all that send

  // Counter number `ahead` of those that come next.
  [[nodiscard]] std::uint64_t counter(std::uint64_t ahead = 0) const noexcept {
    return (std::uint64_t{number} << kLaneShift) | (packets.get() + ahead);
  }
  [[nodiscard]] bool is_spent() const noexcept { return packets.get() >= kMostOfALane; }
};
static_assert(sizeof(SendLane) == 64);

// Two lines to open, and the window behind them.
struct alignas(64) ReceiveLane {
  // What was found true of a packet, and holds for all like it while the peer's view is the one of
  // `version`: that its inner source belongs to the peer, and that it came by the peer's path.
  struct Admitted {
    std::uint32_t version = 0;  // 0: nothing yet
    IpAddress source;
    Endpoint from;
  };
  static constexpr std::uint8_t kNobody = 0xff;

  // lcore: r, overlay: w before it publishes
  ReceiverIndex local = kNoReceiver;
  PeerIndex peer = kNoPeer;
  Instant receive_until{};
  Admitted admitted;  // lcore: rw
  SessionForm form = SessionForm::kIpop;
  std::uint8_t lanes = 1;  // of the session, all that receive
  bool confirmed = false;  // kSessionConfirmed was punted. lcore: rw
  // The lcore that opens for it: whoever got a datagram for it first. lcores: rw
  std::atomic<std::uint8_t> owner{kNobody};

  struct alignas(64) Received : Traffic {
    ReplayWindow replay;  // its first 16 bytes are still on this line. lcore: rw
  } received;

  Instant path_told{};      // when kPathChanged was last punted. lcore: rw
  std::uint8_t number = 0;  // lcore: r, overlay: w before it publishes
};
static_assert(sizeof(ReceiveLane) == 3 * 64 + ReplayWindow::kSize / 8);
static_assert(sizeof(Traffic) + 2 * sizeof(std::uint64_t) <= 64, "the window's first 16 bytes");

}  // namespace ipop::engine
