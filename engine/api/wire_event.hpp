// What a wire port counts besides the datagrams that the engine sees: what else its network card
// brought, and what became of datagrams that it had taken. The socket wire has a kernel for all
// this, and tells alone what that had no room for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ipop::engine {

enum class WireEvent : std::uint8_t {
  // Frames that came and were no datagram for us.
  kNeighbour,    // ARP and neighbour discovery
  kEcho,         // pings, answered
  kNotOurs,      // another station's, address's or VLAN's
  kOther,        // protocols, and ports, that nobody here knows
  kFragment,     // nothing is put together here, and peers send none
  kMalformed,    // lengths or header checksums that are wrong
  kBadChecksum,  // of UDP
  kMissed,       // the card had no buffer for it, or the socket no room
  // Datagrams for the overlay (handshakes, the hash table, STUN), of which a socket wire takes so
  // many a second while members send.
  kOverlayMissed,
  // Datagrams that were to be sent.
  kUnresolved,  // no neighbour answered for its next hop
  kNoRoute,     // neither on the link, nor a gateway for it
  kTooBig,      // for the link, or without room for headers
  kQueueFull,   // the card took no more
  // Others that claim one of our addresses.
  kConflict,
  // Datagrams whose bytes were copied on their way to or from the card.
  kCopied,
  kCount,
};

inline constexpr std::size_t kWireEventCount = static_cast<std::size_t>(WireEvent::kCount);

// Stable names for status and metrics, "bad_checksum"; the same order as the enum.
[[nodiscard]] const char* name(WireEvent event) noexcept;

using WireEvents = std::array<std::uint64_t, kWireEventCount>;

}  // namespace ipop::engine
