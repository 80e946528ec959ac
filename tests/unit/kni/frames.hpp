// Frames for the tests of this folder, written out by hand, and a second, slow way to compute the
// Internet checksum, so that the code under test is not its own witness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::kni::testing {

using Bytes = std::vector<std::uint8_t>;

inline const MacAddress kHostMac{{0x02, 0x49, 192, 168, 10, 10}};
inline const MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

[[nodiscard]] IpAddress ip(const char* text);
// "0806 0001" and the like; blanks do not count.
[[nodiscard]] Bytes hex(const std::string& text);

// RFC 1071 word by word, with the carry added after each.
[[nodiscard]] std::uint16_t slow_checksum(ByteView bytes);
// Of the upper-layer message in an IPv6 packet; zero if its own checksum is right.
[[nodiscard]] std::uint16_t slow_ipv6_checksum(ByteView packet);

[[nodiscard]] Bytes arp_request(const char* sender, const char* target);

struct Solicitation {
  std::string source = "fd00:10::10";
  std::string destination = "ff02::1:ff00:20";
  std::string target = "fd00:10::20";
  std::uint8_t hop_limit = 255;
  std::uint8_t type = 135;
  std::uint8_t code = 0;
  Bytes options = hex("0101 0249c0a80a0a");
};
[[nodiscard]] Bytes neighbour_solicitation(const Solicitation& what);

// A whole Ethernet frame with a UDP datagram inside, checksums included.
[[nodiscard]] Bytes udp_frame(const MacAddress& to, const Endpoint& from, const Endpoint& at,
                              const std::string& text);

}  // namespace ipop::kni::testing
