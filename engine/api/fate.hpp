// What became of a packet. Every packet that a lcore takes from the host or the wire, or that is
// injected, ends in exactly one of these; a test balances the sums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ipop::engine {

enum class Fate : std::uint8_t {
  kSent,       // left by the wire port
  kDelivered,  // left by the host port
  kRelayed,    // left by the wire port, for a peer of ours from another
  kPunted,     // went up to the overlay
  kKeepalive,  // an authentic datagram without content: its work was to arrive
  kConsumed,   // an order of the overlay that is not a packet (retry, reject)
  // Drops, each for a named reason. Host side:
  kDropHostMalformed,   // not a whole IPv4 or IPv6 packet
  kDropHostNotIp,       // an EtherType that is not carried
  kDropHostMulticast,   // multicast and broadcast are not carried
  kDropHostTooBig,      // larger than the path; the sender was told by ICMP
  kDropStagingFull,     // no room to wait for a route or a session
  kDropStagingExpired,  // waited too long
  kDropUnreachable,     // rejected by the overlay; the sender was told by ICMP
  kDropHostFull,        // the host took no more, or not this one
  // Wire side:
  kDropWireMalformed,       // shorter than its kind allows, or a kind nobody knows
  kDropWireUnknownSession,  // receiver index that is not ours, or no longer
  kDropWireExpired,         // the session's time is over
  kDropWireForged,          // the AEAD refused it
  kDropWireReplayed,        // its counter was seen, or is older than the window
  kDropInnerMalformed,      // authentic, but no whole packet inside
  kDropSourceNotAllowed,    // authentic, but from an inner address that is not the peer's
  kDropPuntFull,            // the overlay did not keep up
  kDropWireFull,            // the wire's queue took no more, the kernel or the AEAD refused it
  kDropNoSession,           // injected for a session that is gone or spent
  kDropNoPath,              // injected for a peer whose endpoint is not known
  kDropRelayUnknown,        // a label that is not ours, or no longer
  kDropRelayRefused,        // a label of ours, but not from the peer that has it
  kDropRelayLoop,           // passed as many relays as it may
  kDropRelayLimited,        // more than this node is willing to relay
  // Between lcores:
  kDropHandoverFull,  // the lcore whose it is did not keep up, or has stopped
  // The firewall, where there are rules:
  kDropFirewallIn,         // from a peer: no rule and no flow allows it
  kDropFirewallOut,        // from the host: the same; its sender was told by ICMP
  kDropFirewallFragment,   // not the first fragment, and the first was not seen to pass
  kDropFirewallMalformed,  // a transport header that is cut off, or cannot be found
  kDropFirewallFull,       // allowed, but there is no room to remember its flow
  kCount,
};

inline constexpr std::size_t kFateCount = static_cast<std::size_t>(Fate::kCount);

// Stable names for status and metrics, "wire_forged"; the same order as the enum.
[[nodiscard]] const char* name(Fate fate) noexcept;
[[nodiscard]] constexpr bool is_drop(Fate fate) noexcept {
  return fate >= Fate::kDropHostMalformed;
}

using FateCounts = std::array<std::uint64_t, kFateCount>;

// Packets in, packets out, over all lcores. At rest (nothing staged, nothing in flight)
// host_rx + wire_rx + injected + generated == the sum of fates.
struct EngineCounters {
  std::uint64_t host_rx = 0;
  std::uint64_t wire_rx = 0;
  std::uint64_t injected = 0;
  std::uint64_t inject_refused = 0;      // orders for which there was no room; not in injected
  std::uint64_t generated = 0;           // ICMP answers that the engine made
  std::uint64_t staged = 0;              // waiting now
  std::uint64_t handed_over = 0;         // from one lcore to another; in host_rx or wire_rx once
  std::uint64_t neighbour_answered = 0;  // ARP and ND, by the host port; not in host_rx
  FateCounts fates{};
};

}  // namespace ipop::engine
