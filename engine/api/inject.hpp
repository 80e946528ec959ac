// What the overlay hands down to lcores: datagrams to send by the one UDP port, messages to seal,
// and the word about staged packets. Bounded rings; the overlay thread is the one producer.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

// The ICMP or ICMPv6 answer that the sender of a staged packet gets.
enum class RejectReason : std::uint8_t {
  kHostUnreachable,  // nobody holds the address (ICMP 3/1, ICMPv6 1/3)
  kProhibited,       // the peer or we refuse to talk (ICMP 3/13, ICMPv6 1/1)
};

class Injector {
 public:
  virtual ~Injector() = default;

  // Each returns false, and counts, when its ring or the buffers are used up: the overlay's own
  // timers then try again. `bytes` are copied.

  // A whole UDP payload, at most 1,452 bytes.
  virtual bool send_datagram(const Endpoint& to, ByteView bytes) = 0;
  // Seals `plaintext` (a control message, or nothing for a keepalive; at most 1,400 bytes) with a
  // published session and sends it to `via`, or else along the peer's path.
  virtual bool send_sealed(ReceiverIndex session, ByteView plaintext,
                           std::optional<Endpoint> via = std::nullopt) = 0;
  // Every staged packet that now has a route, a session and a path is sent, in order.
  virtual bool retry_staged() = 0;
  // Staged packets for this inner address are dropped, each sender is told by ICMP.
  virtual bool reject_staged(const IpAddress& address, RejectReason reason) = 0;
};

}  // namespace ipop::engine
