// Tells by its first bytes what a datagram on the one UDP port is. Called by lcores; pure. It looks
// no further than it must to choose who deals with it: they check the rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace ipop::engine {

enum class WireKind : std::uint8_t {
  kData,       // for the lcore: WireGuard's type 4
  kHandshake,  // for the overlay, as the next
  kOverlay,    // OpenDHT or STUN: never through a relay
  kRelay,      // a label and another datagram
  kUnknown,    // nothing that we speak, or shorter than its kind can be
};

[[nodiscard]] WireKind classify(ByteView datagram) noexcept;

}  // namespace ipop::engine
