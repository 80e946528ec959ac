// Packets for the engine's tests, as plain bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::engine {

using Bytes = std::vector<std::uint8_t>;

[[nodiscard]] inline IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}
[[nodiscard]] inline Prefix prefix(std::string_view text) {
  return *Prefix::parse(text);
}
[[nodiscard]] inline Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

// A UDP-like IPv4 or IPv6 packet with `payload` bytes behind the IP header, which start with
// `mark`.
[[nodiscard]] inline Bytes ip_packet(const IpAddress& from, const IpAddress& to,
                                     std::size_t payload = 32, std::uint8_t mark = 0) {
  const std::size_t header = from.is_v4() ? 20 : 40;
  Bytes packet(header + payload);
  std::uint8_t* const at = packet.data();
  if (from.is_v4()) {
    at[0] = 0x45;
    store_be(at + 2, static_cast<std::uint16_t>(packet.size()));
    at[8] = 64;
    at[9] = 17;
    store_be(at + 12, from.v4());
    store_be(at + 16, to.v4());
  } else {
    at[0] = 0x60;
    store_be(at + 4, static_cast<std::uint16_t>(payload));
    at[6] = 17;
    at[7] = 64;
    std::memcpy(at + 8, from.bytes().data(), 16);
    std::memcpy(at + 24, to.bytes().data(), 16);
  }
  if (payload != 0) at[header] = mark;
  return packet;
}

// `packet` behind an Ethernet header to one station, and `padding` zero bytes.
[[nodiscard]] inline Bytes frame_of(const Bytes& packet, std::size_t padding = 0) {
  constexpr std::array<std::uint8_t, 12> kAddresses{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  const bool six = !packet.empty() && packet[0] >> 4 == 6;
  Bytes frame(14 + packet.size() + padding);
  std::ranges::copy(kAddresses, frame.begin());
  store_be<std::uint16_t>(&frame[12], six ? 0x86dd : 0x0800);
  std::ranges::copy(packet, frame.begin() + 14);
  return frame;
}

// The packet in an Ethernet frame.
[[nodiscard]] inline Bytes packet_of(const Bytes& frame) {
  return Bytes(frame.begin() + 14, frame.end());
}

// The mark that ip_packet() put in.
[[nodiscard]] inline std::uint8_t mark_of(const Bytes& packet) {
  return packet[packet[0] >> 4 == 4 ? 20 : 40];
}

}  // namespace ipop::engine
