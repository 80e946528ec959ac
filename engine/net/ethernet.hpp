// Ethernet frames: their header, with or without a VLAN tag (IEEE 802.3 §3.2, 802.1Q §9.6). Pure;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/mac_address.hpp"

namespace ipop::engine {

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kVlanTag = 4;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

inline constexpr std::uint16_t kNoVlan = 0;  // an id; that of a priority tag too (802.1Q §9.6)

struct EthernetHeader {
  MacAddress to;
  MacAddress from;
  std::uint16_t type = 0;
  std::uint16_t vlan = kNoVlan;

  // Bytes that it takes in a frame.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    return kEthernetHeader + (vlan == kNoVlan ? 0 : kVlanTag);
  }
};

// Nothing if it is cut off. One tag at most is read: behind a second one stands no type that
// anybody here knows. `size` of a frame with a priority tag includes the tag.
struct ParsedEthernet {
  EthernetHeader header;
  std::size_t size = 0;
};
[[nodiscard]] std::optional<ParsedEthernet> parse_ethernet(ByteView frame) noexcept;

// header.size() bytes.
void write_ethernet(const EthernetHeader& header, ByteWriter& out) noexcept;

}  // namespace ipop::engine
