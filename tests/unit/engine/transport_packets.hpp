// TCP and UDP packets for tests, and a slow obvious model of what a network card makes of a
// super-packet: every segment put together byte by byte, every checksum summed word by word over a
// pseudo header that is written out (RFC 1071, RFC 9293 §3.1, RFC 8200 §8.1). Without gtest, so
// that fuzz targets take it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "engine/port/host_frame.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {

namespace tcp {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp

enum class Checksum : std::uint8_t {
  kWhole,
  kPartial,  // of the pseudo header alone, as a kernel leaves it to a card
  kWrong,
  kNone,  // zero
};

struct PacketSpec {
  IpAddress from = *IpAddress::parse("10.0.0.1");
  IpAddress to = *IpAddress::parse("10.0.0.2");
  bool is_tcp = true;
  std::uint16_t from_port = 4000;
  std::uint16_t to_port = 5000;
  std::uint8_t traffic_class = 0;  // or TOS
  std::uint8_t hop_limit = 64;     // or TTL
  std::uint32_t flow_label = 0;
  bool never_cut = true;
  std::uint16_t id = 0;
  Bytes ip_options;  // IPv4's, a multiple of 4; for IPv6, a destination-options header of 8 bytes
  std::uint32_t sequence = 1;
  std::uint32_t acknowledged = 1;
  std::uint8_t flags = tcp::kAck;
  std::uint16_t window = 1000;
  std::uint16_t urgent = 0;
  Bytes tcp_options;  // a multiple of 4
  Bytes payload;
  Checksum checksum = Checksum::kWhole;

  [[nodiscard]] std::size_t transport_start() const {
    return (from.is_v4() ? 20 : 40) + ip_options.size();
  }
  [[nodiscard]] std::size_t transport_header() const {
    return is_tcp ? 20 + tcp_options.size() : 8;
  }
  [[nodiscard]] std::size_t headers() const { return transport_start() + transport_header(); }
};

[[nodiscard]] Bytes build(const PacketSpec& spec);

// Zero over bytes that hold their right checksum.
[[nodiscard]] std::uint16_t naive_checksum(const Bytes& bytes);
// What it is for the transport part of `packet` with the field at `checksum_at` as it stands; the
// pseudo header's addresses are those of the IP header.
[[nodiscard]] std::uint16_t naive_transport_checksum(const Bytes& packet,
                                                     std::size_t transport_start, bool is_tcp);
// `packet` with the right transport checksum, whatever was there. A zero is written as 0xffff: in
// UDP zero means "none", and elsewhere both are right.
[[nodiscard]] Bytes with_whole_checksum(Bytes packet, std::size_t transport_start, bool is_tcp);

// The segments of a super-packet, with whole checksums.
[[nodiscard]] std::vector<Bytes> cut_super(const Bytes& packet, std::size_t transport_start,
                                           bool is_tcp, std::size_t segment_size);

// What the host makes of a frame with an Ethernet header: its packets, with whole checksums.
struct FrameMarks {
  bool partial_checksum = false;
  std::size_t transport_start = 0;  // from the IP header
  bool is_tcp = false;
  std::size_t segment_size = 0;  // 0: not a super-packet
};
[[nodiscard]] FrameMarks marks_of(const HostFrame& frame);
// All pieces of it.
[[nodiscard]] Bytes gather(const HostFrame& frame);
[[nodiscard]] std::vector<Bytes> packets_of(const Bytes& frame, const FrameMarks& marks);

[[nodiscard]] Bytes random_payload(std::mt19937_64& random, std::size_t size);

}  // namespace ipop::engine
