// UDP over IPv4 and IPv6 as the wire carries it (RFC 768, RFC 791, RFC 8200): what a received
// packet holds, and the headers of one that is sent. Pure; lcores, for each packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "engine/net/ethernet.hpp"

namespace ipop::engine {

enum class UdpVerdict : std::uint8_t {
  kDatagram,
  kNotUdp,     // another protocol, or IPv6 extension headers
  kFragment,   // part of a packet: peers never send one, and nothing is put together here
  kMalformed,  // lengths that contradict each other, a wrong version or IPv4 header checksum
};

struct UdpPacket {
  UdpVerdict verdict = UdpVerdict::kMalformed;
  std::uint16_t start = 0;    // of the payload, from the IP header
  std::uint16_t length = 0;   // of the payload
  bool has_checksum = false;  // 0 in IPv4 says that there is none; in IPv6 it is malformed
  Endpoint source;
  Endpoint destination;
};

// `packet` starts at an IPv4 or IPv6 header; what is behind its length is padding. The UDP checksum
// is not looked at. `header_checked`: the card found IPv4's header checksum right.
[[nodiscard]] UdpPacket parse_udp_packet(ByteView packet, bool header_checked) noexcept;
// For a packet that parse_udp_packet() found to be a datagram with a checksum.
[[nodiscard]] bool udp_checksum_is_right(ByteView packet, const UdpPacket& parsed) noexcept;
// Its checksum is the pseudo-header's sum alone.
[[nodiscard]] bool udp_checksum_is_partial(ByteView packet, const UdpPacket& parsed) noexcept;

// Ethernet, IP and UDP headers of all that leaves from one of our addresses.
class UdpHeaders {
 public:
  static constexpr std::size_t kMost = kEthernetHeader + kVlanTag + 40 + 8;

  // Who writes a datagram's checksum.
  enum class Checksum : std::uint8_t {
    kWhole,   // we do
    kPseudo,  // the card completes the sum of the pseudo-header
    kNone,    // nobody: IPv4 alone, for what an AEAD guards
  };

  UdpHeaders(const MacAddress& from, std::uint16_t vlan, const IpAddress& source) noexcept;

  [[nodiscard]] const IpAddress& source() const noexcept { return source_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t ethernet_size() const noexcept { return ethernet_size_; }
  [[nodiscard]] std::size_t ip_size() const noexcept { return size_ - ethernet_size_ - 8; }

  // Writes size() bytes in front of `payload`. `to` is of our family, `length` what the path takes.
  // `ip_checksum`: IPv4's header checksum is written; else the card does.
  void write_before(std::uint8_t* payload, std::uint16_t length, const MacAddress& next_hop,
                    const Endpoint& to, std::uint16_t source_port, Checksum checksum,
                    bool ip_checksum) const noexcept;

 private:
  void write_checksum(std::uint8_t* udp, std::uint16_t length, const IpAddress& to,
                      Checksum checksum) const noexcept;

  std::uint8_t template_[kMost];
  std::uint8_t size_ = 0;
  std::uint8_t ethernet_size_ = 0;
  bool v4_ = false;
  std::uint32_t ip_sum_ = 0;  // of IPv4's header without length and destination
  IpAddress source_;
};

namespace detail {

[[nodiscard]] constexpr std::uint32_t words_of(std::uint32_t address) noexcept {
  return (address >> 16) + (address & 0xffff);
}

}  // namespace detail

// Inline, and copied by sizes that the compiler knows: it runs for each datagram.
inline void UdpHeaders::write_before(std::uint8_t* payload, std::uint16_t length,
                                     const MacAddress& next_hop, const Endpoint& to,
                                     std::uint16_t source_port, Checksum checksum,
                                     bool ip_checksum) const noexcept {
  constexpr std::size_t kUdpSize = 8;
  constexpr std::size_t kPlain4 = kEthernetHeader + 20 + kUdpSize;
  constexpr std::size_t kPlain6 = kEthernetHeader + 40 + kUdpSize;
  std::uint8_t* const start = payload - size_;
  if (size_ == kPlain4) [[likely]] {
    std::memcpy(start, template_, kPlain4);
  } else if (size_ == kPlain6) {
    std::memcpy(start, template_, kPlain6);
  } else {
    std::memcpy(start, template_, size_);
  }
  next_hop.write_to(start);
  std::uint8_t* const udp = payload - kUdpSize;
  const auto udp_length = static_cast<std::uint16_t>(length + kUdpSize);
  if (v4_) {
    std::uint8_t* const ip = udp - 20;
    const std::uint32_t address = to.address.v4();
    const auto total = static_cast<std::uint16_t>(udp_length + 20);
    store_be(ip + 2, total);
    store_be(ip + 16, address);
    if (ip_checksum) {
      std::uint32_t sum = ip_sum_ + total + detail::words_of(address);
      sum = (sum >> 16) + (sum & 0xffff);
      sum += sum >> 16;
      store_be(ip + 10, static_cast<std::uint16_t>(~sum));
    }
  } else {
    std::uint8_t* const ip = udp - 40;
    store_be(ip + 4, udp_length);
    std::memcpy(ip + 24, to.address.bytes().data(), 16);
  }
  store_be(udp, source_port);
  store_be(udp + 2, to.port);
  store_be(udp + 4, udp_length);
  if (checksum != Checksum::kNone) write_checksum(udp, udp_length, to.address, checksum);
}

}  // namespace ipop::engine
