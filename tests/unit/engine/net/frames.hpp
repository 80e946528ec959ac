// Packets and frames for the tests of this folder, put together from what the RFCs say, and a
// second, slow way to compute the Internet checksum, so that the code under test is not its own
// witness.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "engine/net/neighbours.hpp"

namespace ipop::engine::testing {

using Bytes = std::vector<std::uint8_t>;

inline constexpr MacAddress kOurMac{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress kTheirMac{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr MacAddress kThirdMac{{0x02, 0, 0, 0, 0, 0x03}};

// As ARP answers, and announces.
inline constexpr Neighbours::Claim kAnswered{.confirms = true, .overrides = true};
inline constexpr Neighbours::Claim kSaid{.overrides = true};

[[nodiscard]] IpAddress ip(const std::string& text);
// "0806 0001" and the like; blanks do not count.
[[nodiscard]] Bytes hex(const std::string& text);
[[nodiscard]] Bytes join(std::initializer_list<ByteView> parts);
[[nodiscard]] Bytes with(Bytes bytes, std::size_t at, std::uint8_t value);

// RFC 1071 word by word, with the carry added after each; zero if the bytes hold their own.
[[nodiscard]] std::uint16_t slow_checksum(ByteView bytes);
// Of the UDP, ICMP or ICMPv6 message in a packet, pseudo-header included where it has one.
[[nodiscard]] std::uint16_t slow_message_checksum(ByteView packet);
// The sum of the pseudo-header alone, which a card completes.
[[nodiscard]] std::uint16_t pseudo_header_sum(ByteView packet);
// The same packet with the checksum of its message written into it.
[[nodiscard]] Bytes summed(Bytes packet);

// A whole packet, IPv4's header checksum included. From them to us, if nothing else is said.
struct Ipv4 {
  std::string source = "192.0.2.2";
  std::string destination = "192.0.2.1";
  std::uint8_t protocol = 17;
  std::uint16_t fragment = 0x4000;
  Bytes options;
  Bytes payload;

  [[nodiscard]] Bytes bytes() const;
};

struct Ipv6 {
  std::string source = "2001:db8::2";
  std::string destination = "2001:db8::1";
  std::uint8_t next = 17;
  std::uint8_t hop_limit = 64;
  Bytes payload;

  [[nodiscard]] Bytes bytes() const;
};

// A datagram without a checksum.
[[nodiscard]] Bytes udp(std::uint16_t from, std::uint16_t to, ByteView payload);
// RFC 792 and RFC 4443 §4.1 without a checksum: identifier 0x1234, sequence number 1.
[[nodiscard]] Bytes echo_request(std::uint8_t type, ByteView data);

// RFC 4861 §4.3 or §4.4, its checksum included: from them, for our address.
struct NeighbourPacket {
  std::uint8_t type = 135;
  std::string source = "2001:db8::2";
  std::string destination = "ff02::1:ff00:1";
  std::string target = "2001:db8::1";
  std::uint8_t flags = 0;
  Bytes options = hex("0101 020000000002");
  std::uint8_t hop_limit = 255;
  std::uint8_t code = 0;

  [[nodiscard]] Bytes bytes() const;
};

// RFC 826: what stands behind the Ethernet header.
[[nodiscard]] Bytes arp(std::uint16_t operation, const MacAddress& sender_mac,
                        const std::string& sender, const MacAddress& target_mac,
                        const std::string& target);

// `tag`: the VLAN tag's four bytes, or none.
[[nodiscard]] Bytes framed(const MacAddress& to, const MacAddress& from, std::uint16_t type,
                           ByteView packet, ByteView tag = {});

}  // namespace ipop::engine::testing
