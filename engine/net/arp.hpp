// ARP for IPv4 over Ethernet (RFC 826): what stands behind the Ethernet header. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::engine {

inline constexpr std::size_t kArpSize = 28;
inline constexpr std::uint16_t kArpRequest = 1;
inline constexpr std::uint16_t kArpReply = 2;

struct ArpMessage {
  std::uint16_t operation = kArpRequest;
  MacAddress sender_mac;
  IpAddress sender;       // IPv4, as the target; 0.0.0.0 in a probe (RFC 5227 §1.1)
  MacAddress target_mac;  // zero in a request
  IpAddress target;

  // Says where the sender is, and asks for nobody.
  [[nodiscard]] bool is_announcement() const noexcept { return sender == target; }
};

// Nothing if it is cut off, of other hardware or protocols, or its sender is no single station.
[[nodiscard]] std::optional<ArpMessage> parse_arp(ByteView message) noexcept;
// kArpSize bytes.
void write_arp(const ArpMessage& message, ByteWriter& out) noexcept;

}  // namespace ipop::engine
