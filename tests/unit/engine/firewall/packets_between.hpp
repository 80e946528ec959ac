// Packets between this node's host and a peer's, as plain bytes, and a gate that judges them: what
// the firewall's tests are made of.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "conf/load.hpp"
#include "engine/firewall/gate.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine::firewall {

// TCP's header unless `protocol` says another; checksums are nobody's business here.
struct Between {
  Direction direction = Direction::kIn;
  std::uint8_t protocol = kTcp;
  std::uint16_t remote_port = 40000;
  std::uint16_t local_port = 22;
  IpAddress remote = ip("10.0.0.2");
  IpAddress local = ip("10.0.0.1");
  std::uint8_t flags = tcp_flag::kAck;
  std::uint8_t icmp_type = 8;
  std::uint16_t icmp_id = 7;
  Bytes icmp_rest;  // behind the first eight bytes
  // IPv6: next header and bytes of headers before the transport's, each as {kind, bytes}.
  struct Extension {
    std::uint8_t kind;
    Bytes bytes;  // the first is filled in
  };
  std::vector<Extension> extensions;
  // IPv4: in units of eight bytes.
  std::uint16_t fragment_offset = 0;
  bool more_fragments = false;
  std::uint16_t fragment_id = 99;
  std::size_t payload = 4;
  std::size_t cut = 0;  // bytes off the end, also of what the IP header says
  std::size_t ip_options = 0;
};

// The packet without its IP header.
[[nodiscard]] inline Bytes transport_of(const Between& packet) {
  Bytes bytes;
  const bool inward = packet.direction == Direction::kIn;
  const std::uint16_t source = inward ? packet.remote_port : packet.local_port;
  const std::uint16_t destination = inward ? packet.local_port : packet.remote_port;
  if (packet.protocol == kTcp) {
    bytes.resize(20);
    bytes[12] = 0x50;
    bytes[13] = packet.flags;
  } else if (packet.protocol == kIcmp || packet.protocol == kIcmpv6) {
    bytes.resize(8);
    bytes[0] = packet.icmp_type;
    store_be(&bytes[4], packet.icmp_id);
    bytes.insert(bytes.end(), packet.icmp_rest.begin(), packet.icmp_rest.end());
  } else {
    bytes.resize(packet.protocol == kSctp ? 12 : 8);
  }
  if (packet.protocol != kIcmp && packet.protocol != kIcmpv6) {
    store_be(&bytes[0], source);
    store_be(&bytes[2], destination);
  }
  if (packet.protocol == kUdp)
    store_be(&bytes[4], static_cast<std::uint16_t>(bytes.size() + packet.payload));
  bytes.resize(bytes.size() + packet.payload);
  return bytes;
}

[[nodiscard]] inline Bytes made(const Between& packet) {
  const bool inward = packet.direction == Direction::kIn;
  const IpAddress from = inward ? packet.remote : packet.local;
  const IpAddress to = inward ? packet.local : packet.remote;
  Bytes rest = transport_of(packet);
  std::uint8_t next = packet.protocol;
  if (packet.fragment_offset != 0)
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                packet.fragment_offset * 8u, rest.size())));
  for (auto each = packet.extensions.rbegin(); each != packet.extensions.rend(); ++each) {
    rest.insert(rest.begin(), each->bytes.begin(), each->bytes.end());
    rest[0] = next;
    next = each->kind;
  }
  rest.resize(rest.size() - std::min(packet.cut, rest.size()));
  Bytes bytes = ip_packet(from, to, rest.size() + packet.ip_options);
  const bool v4 = from.is_v4();
  std::copy(rest.begin(), rest.end(), bytes.end() - static_cast<std::ptrdiff_t>(rest.size()));
  bytes[v4 ? 9 : 6] = next;
  if (v4) {
    bytes[0] = static_cast<std::uint8_t>(0x45 + packet.ip_options / 4);
    store_be(&bytes[4], packet.fragment_id);
    store_be(&bytes[6], static_cast<std::uint16_t>((packet.more_fragments ? 0x2000 : 0) |
                                                   packet.fragment_offset));
  }
  return bytes;
}

// IPv6's fragment header.
[[nodiscard]] inline Between::Extension fragment6(std::uint16_t offset, bool more,
                                                  std::uint32_t id = 99) {
  Bytes bytes(8);
  store_be(&bytes[2], static_cast<std::uint16_t>(offset << 3 | (more ? 1 : 0)));
  store_be(&bytes[4], id);
  return {44, bytes};
}

// The section's content, as in the file.
[[nodiscard]] inline conf::Firewall rules(const std::string& yaml) {
  const auto loaded = conf::load_text(
      "network: {name: n, address: 10.0.0.1/24, hostname: h}\nfirewall:\n" + yaml, "f");
  EXPECT_TRUE(loaded) << conf::to_string(loaded.error());
  return loaded ? loaded->firewall : conf::Firewall{};
}

}  // namespace ipop::engine::firewall
