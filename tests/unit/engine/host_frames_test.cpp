// Frames of the host that are not carried, each for its named reason.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

struct Case {
  const char* description;
  Bytes frame;
  Fate fate;
};

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes[at] = value;
  return bytes;
}

Bytes cut(Bytes bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}

TEST(HostFrames, EachHasOneFate) {
  const Bytes good4 = frame_of(ip_packet(ip("10.0.0.1"), ip("10.0.0.2")));
  const Bytes good6 = frame_of(ip_packet(ip("fd00::1"), ip("fd00::2")));
  const Case cases[] = {
      {"IPv4", good4, Fate::kSent},
      {"IPv6", good6, Fate::kSent},
      {"empty", {}, Fate::kDropHostMalformed},
      {"cut in the Ethernet header", cut(good4, 13), Fate::kDropHostMalformed},
      {"no IP header", cut(good4, 14), Fate::kDropHostMalformed},
      {"cut in the IPv4 header", cut(good4, 14 + 19), Fate::kDropHostMalformed},
      {"cut in the IPv6 header", cut(good6, 14 + 39), Fate::kDropHostMalformed},
      {"cut in the payload", cut(good4, good4.size() - 1), Fate::kDropHostMalformed},
      {"IPv4 header length below 20", with(good4, 14, 0x44), Fate::kDropHostMalformed},
      {"IPv4 that says it is IPv6", with(good4, 14, 0x65), Fate::kDropHostMalformed},
      {"IPv6 behind IPv4's EtherType", with(with(good6, 12, 0x08), 13, 0x00),
       Fate::kDropHostMalformed},
      {"ARP", with(good4, 13, 0x06), Fate::kDropHostNotIp},
      {"VLAN tag", with(with(good4, 12, 0x81), 13, 0), Fate::kDropHostNotIp},
      {"multicast station", with(good4, 0, 0x33), Fate::kDropHostMulticast},
      {"IPv4 multicast to one station", frame_of(ip_packet(ip("10.0.0.1"), ip("224.0.0.251"))),
       Fate::kDropHostMulticast},
      {"IPv4 broadcast to one station", frame_of(ip_packet(ip("10.0.0.1"), ip("255.255.255.255"))),
       Fate::kDropHostMulticast},
      {"IPv6 multicast to one station", frame_of(ip_packet(ip("fd00::1"), ip("ff02::1"))),
       Fate::kDropHostMulticast},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.description);
    EnginePair pair;
    pair.alice.from_host(each.frame);
    pair.alice.turn();
    EXPECT_EQ(pair.alice.count(each.fate), 1u);
    EXPECT_EQ(pair.alice.counters().host_rx, 1u);
  }
}

}  // namespace
}  // namespace ipop::engine
