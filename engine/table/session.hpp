// One session as lcores use it: keys, and what changes with each datagram. Made and freed by the
// overlay thread (freeing wipes the keys); used by the one lcore that owns it. What is only read,
// what sealing writes and what opening writes lie on lines of their own.
#pragma once

#include <cstdint>

#include "engine/aead/aead.hpp"
#include "engine/api/types.hpp"
#include "engine/owned_counter.hpp"
#include "engine/path/replay_window.hpp"

namespace ipop::engine {

struct Session {
  // What one direction did. lcore: rw, overlay: r
  struct alignas(64) Direction {
    OwnedCounter packets;  // of all kinds; sealing: also the next nonce
    OwnedCounter data_packets;
    OwnedCounter data_bytes;  // of inner packets
    OwnedTime last_data;
    OwnedTime last;
    Instant path_told{};     // opening: when kPathChanged was last punted. lcore: rw
    bool confirmed = false;  // opening: kSessionConfirmed was punted. lcore: rw
  };

  // lcore: r, overlay: w before it publishes
  ReceiverIndex local = kNoReceiver;
  PeerIndex peer = kNoPeer;
  std::uint32_t remote = 0;
  SessionForm form = SessionForm::kIpop;
  bool partial_checksums = false;
  Instant send_until{};
  Instant receive_until{};

  Direction sent;
  Direction received;
  ReplayWindow replay;  // lcore: rw

  // lcore: r, overlay: w before it publishes
  AeadKey send_key;
  AeadKey receive_key;
};
static_assert(sizeof(Session::Direction) == 64);

}  // namespace ipop::engine
