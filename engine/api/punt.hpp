// What lcores hand up to the overlay: datagrams that are not data, and events. A bounded ring per
// lcore; when it is full the lcore counts a drop and goes on. Read by the overlay thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

enum class PuntKind : std::uint8_t {
  kDatagram,          // source, bytes: a datagram of any kind but data
  kControl,           // peer, session, source, bytes: an opened control message (0x10-0x1f)
  kResolve,           // address: a host packet has no route; it is staged
  kNeedSession,       // peer, address: a host packet has a route but no session; it is staged
  kSessionConfirmed,  // peer, session, source: the first datagram of a session was opened
  kPathChanged,       // peer, session, source: an opened data packet came from another endpoint
};

// Views are valid during the call that hands them over.
struct Punt {
  PuntKind kind = PuntKind::kDatagram;
  PeerIndex peer = kNoPeer;
  ReceiverIndex session = kNoReceiver;
  Endpoint source;    // where the datagram came from
  IpAddress address;  // the inner destination of the staged packet
  ByteView bytes;
};

class PuntQueue {
 public:
  virtual ~PuntQueue() = default;

  // Hands over at most `limit` punts, oldest first; returns how many.
  virtual std::size_t drain(std::size_t limit, const std::function<void(const Punt&)>& take) = 0;
  // Readable (level-triggered, an eventfd) while there may be punts; drain() clears it once empty.
  [[nodiscard]] virtual int wake_fd() const = 0;
};

}  // namespace ipop::engine
