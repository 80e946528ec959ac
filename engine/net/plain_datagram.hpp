// The common case of a frame that comes: Ethernet to us, IPv4 without options or IPv6 without
// extensions, UDP to one of our addresses, and checksums that are right, or absent, or the card's.
// Told from all else by a few loads and compares; LinkStack judges these the same, and knows the
// rest. One lcore; pure.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "engine/net/link_stack.hpp"

namespace ipop::engine {

struct PlainDatagram {
  Endpoint source;
  std::uint16_t port = 0;    // of ours
  std::uint16_t start = 0;   // of the payload in the frame
  std::uint16_t length = 0;  // of the payload
};

class PlainDatagrams {
 public:
  explicit PlainDatagrams(const LinkSettings& settings) noexcept;

  // False: LinkStack has to look. `into` is then undefined.
  [[nodiscard]] bool parse(ByteView frame, CardChecks checked, PlainDatagram& into) const noexcept;

 private:
  [[nodiscard]] bool parse_v4(ByteView frame, CardChecks checked,
                              PlainDatagram& into) const noexcept;
  [[nodiscard]] bool parse_v6(ByteView frame, CardChecks checked,
                              PlainDatagram& into) const noexcept;

  std::uint64_t mac_ = 0;   // as it is loaded
  std::uint32_t own4_ = 0;  // host order; 0: none
  IpAddress own6_;          // unspecified: none
  std::uint16_t vlan_ = kNoVlan;
};

namespace plain {

inline constexpr std::uint64_t kMacBits = 0xffffffffffff;
inline constexpr std::uint32_t kIp = 14;
inline constexpr std::uint32_t kHeaders4 = 14 + 20 + 8;
inline constexpr std::uint32_t kHeaders6 = 14 + 40 + 8;
inline constexpr std::uint8_t kUdp = 17;

// Of 20 bytes; zero if its checksum is right.
[[nodiscard]] inline std::uint16_t header_checksum(const std::uint8_t* ip) noexcept {
  std::uint64_t sum = load_le<std::uint32_t>(ip + 16);
  for (int i = 0; i < 16; i += 4)
    sum += load_le<std::uint32_t>(ip + i);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace plain

inline bool PlainDatagrams::parse(ByteView frame, CardChecks checked,
                                  PlainDatagram& into) const noexcept {
  if (frame.size() < plain::kHeaders4 || checked.vlan != vlan_ ||
      (load_le<std::uint64_t>(frame.data()) & plain::kMacBits) != mac_) {
    return false;
  }
  const auto type = load_be<std::uint16_t>(frame.data() + 12);
  if (type == kEtherTypeIpv4) return parse_v4(frame, checked, into);
  return type == kEtherTypeIpv6 && parse_v6(frame, checked, into);
}

inline bool PlainDatagrams::parse_v4(ByteView frame, CardChecks checked,
                                     PlainDatagram& into) const noexcept {
  const std::uint8_t* const ip = frame.data() + plain::kIp;
  const std::uint32_t total = load_be<std::uint16_t>(ip + 2);
  const std::uint32_t source = load_be<std::uint32_t>(ip + 12);
  const std::uint8_t* const udp = ip + 20;
  const bool right = ip[0] == 0x45 && total <= frame.size() - plain::kIp && total >= 28 &&
                     (load_be<std::uint16_t>(ip + 6) & 0x3fff) == 0 && ip[9] == plain::kUdp &&
                     load_be<std::uint32_t>(ip + 16) == own4_ &&
                     load_be<std::uint16_t>(udp + 4) == total - 20 &&
                     (checked.udp || load_le<std::uint16_t>(udp + 6) == 0) &&
                     (checked.ip || plain::header_checksum(ip) == 0);
  // One host's: not 0.0.0.0, not 127/8, not from 224 on, and not ours.
  const bool from_host =
      source != 0 && source >> 24 != 127 && source < 0xe0000000 && source != own4_;
  if (!right || !from_host || own4_ == 0) return false;
  into.source = {IpAddress::v4(source), load_be<std::uint16_t>(udp)};
  into.port = load_be<std::uint16_t>(udp + 2);
  into.start = plain::kHeaders4;
  into.length = static_cast<std::uint16_t>(total - 28);
  return into.source.port != 0;
}

}  // namespace ipop::engine
