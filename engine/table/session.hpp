// One session as lcores use it: keys, and what changes with each datagram. Made and freed by the
// overlay thread (freeing wipes the keys); used by the one lcore that owns it. With many peers the
// cache lines that a packet touches are what it costs, so what is needed together lies together:
// beside the key one line to seal, two to open.
#pragma once

#include <cstdint>

#include "engine/aead/aead.hpp"
#include "engine/api/types.hpp"
#include "engine/owned_counter.hpp"
#include "engine/path/replay_window.hpp"

namespace ipop::engine {

// What one direction did. lcore: rw, overlay: r
struct Traffic {
  OwnedCounter packets;  // of all kinds; sealing: also the next nonce
  OwnedCounter data_packets;
  OwnedCounter data_bytes;  // of inner packets
  OwnedTime last_data;
  OwnedTime last;
};

struct Session {
  struct alignas(64) Sent : Traffic {
    // lcore: r, overlay: w before it publishes
    Instant send_until{};
    std::uint32_t remote = 0;
    bool pads = false;  // plaintexts to a multiple of 16 bytes, as WireGuard does
    bool partial_checksums = false;
  };
  struct alignas(64) Received : Traffic {
    ReplayWindow replay;  // its first 16 bytes are still on this line. lcore: rw
  };
  // What was found true of a packet, and holds for all like it while the peer's view is the one of
  // `version`: that its inner source belongs to the peer, and that it came by the peer's path.
  struct Admitted {
    std::uint32_t version = 0;  // 0: nothing yet
    IpAddress source;
    Endpoint from;
  };

  // lcore: r, overlay: w before it publishes
  ReceiverIndex local = kNoReceiver;
  PeerIndex peer = kNoPeer;
  Instant receive_until{};
  Admitted admitted;  // lcore: rw
  SessionForm form = SessionForm::kIpop;
  bool confirmed = false;  // kSessionConfirmed was punted. lcore: rw

  Sent sent;
  Received received;
  Instant path_told{};  // when kPathChanged was last punted. lcore: rw

  // lcore: r, overlay: w before it publishes
  AeadKey send_key;
  AeadKey receive_key;
};
static_assert(sizeof(Traffic) + 2 * sizeof(std::uint64_t) <= 64, "the window's first 16 bytes");
static_assert(sizeof(Session) == 4 * 64 + ReplayWindow::kSize / 8 + 2 * sizeof(AeadKey));

}  // namespace ipop::engine
