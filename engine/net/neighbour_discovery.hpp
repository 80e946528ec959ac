// IPv6 neighbour solicitations and advertisements (RFC 4861 §4.3, §4.4): whole IPv6 packets. Pure;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::engine {

struct NeighbourMessage {
  enum class Kind : std::uint8_t { kSolicitation = 135, kAdvertisement = 136 };

  Kind kind = Kind::kSolicitation;
  IpAddress source;  // unspecified: looks for a duplicate of the target (RFC 4862 §5.4)
  IpAddress destination;
  IpAddress target;
  // Where the source is (solicitation), or the target (advertisement); to be written, it must be
  // there.
  std::optional<MacAddress> link_layer;
  // Of an advertisement.
  bool router = false;
  bool solicited = false;
  bool override = false;
};

// What is written: IPv6 40, ICMPv6 24, and an option of 8.
inline constexpr std::size_t kNeighbourMessageSize = 72;

// Enough to tell such messages from all else; `packet` starts at its IPv6 header.
[[nodiscard]] bool is_neighbour_discovery(ByteView packet) noexcept;
// Nothing unless it passes RFC 4861 §7.1.1 or §7.1.2, its checksum included.
[[nodiscard]] std::optional<NeighbourMessage> parse_neighbour_message(ByteView packet) noexcept;
// kNeighbourMessageSize bytes.
void write_neighbour_message(const NeighbourMessage& message, ByteWriter& out) noexcept;

// Where a solicitation for this address goes (RFC 4291 §2.7.1), and that group's Ethernet address
// (RFC 2464 §7).
[[nodiscard]] IpAddress solicited_node(const IpAddress& target) noexcept;
[[nodiscard]] MacAddress group_mac(const IpAddress& group) noexcept;

}  // namespace ipop::engine
