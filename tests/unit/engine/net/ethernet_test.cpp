#include "engine/net/ethernet.hpp"

#include <gtest/gtest.h>

#include <array>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::hex;
using testing::kOurMac;
using testing::kTheirMac;

Bytes written(const EthernetHeader& header) {
  std::array<std::uint8_t, kEthernetHeader + kVlanTag> buffer;
  ByteWriter out(buffer);
  write_ethernet(header, out);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.size(), header.size());
  return {buffer.begin(), buffer.begin() + out.size()};
}

TEST(Ethernet, ReadsHeadersWithAndWithoutATag) {
  struct Case {
    const char* description;
    const char* frame;
    std::uint16_t type;
    std::uint16_t vlan;
    std::size_t size;
  };
  const Case cases[] = {
      {"IPv4", "020000000001 020000000002 0800 4500", 0x0800, 0, 14},
      {"nothing behind the header", "020000000001 020000000002 0806", 0x0806, 0, 14},
      {"a length in place of a type", "020000000001 020000000002 0026 4242", 0x0026, 0, 14},
      {"VLAN 100", "020000000001 020000000002 8100 0064 86dd 60", 0x86dd, 100, 18},
      {"the last VLAN", "020000000001 020000000002 8100 0fff 0800", 0x0800, 4095, 18},
      {"VLAN 1 with priority and drop bit", "020000000001 020000000002 8100 f001 0800", 0x0800, 1,
       18},
      {"a priority tag", "020000000001 020000000002 8100 e000 0800", 0x0800, 0, 18},
      {"a second tag is left", "020000000001 020000000002 8100 0064 8100 00c8 0800", 0x8100, 100,
       18},
      {"a provider's tag is left", "020000000001 020000000002 88a8 0064 8100 00c8 0800", 0x88a8, 0,
       14},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_ethernet(hex(c.frame));
    ASSERT_TRUE(parsed) << c.description;
    EXPECT_EQ(parsed->header.to, kOurMac) << c.description;
    EXPECT_EQ(parsed->header.from, kTheirMac) << c.description;
    EXPECT_EQ(parsed->header.type, c.type) << c.description;
    EXPECT_EQ(parsed->header.vlan, c.vlan) << c.description;
    EXPECT_EQ(parsed->size, c.size) << c.description;
  }
}

TEST(Ethernet, RefusesAHeaderCutOffAnywhere) {
  for (const Bytes& whole :
       {hex("020000000001 020000000002 0800"), hex("020000000001 020000000002 8100 0064 0800")}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A heap block of just this size, so that a sanitizer sees a read past it.
      EXPECT_FALSE(parse_ethernet(Bytes(whole.begin(), whole.begin() + size))) << size;
    }
    EXPECT_TRUE(parse_ethernet(whole));
  }
}

TEST(Ethernet, WritesHeadersWithAndWithoutATag) {
  EthernetHeader header{.to = kOurMac, .from = kTheirMac, .type = kEtherTypeIpv4};
  EXPECT_EQ(written(header), hex("020000000001 020000000002 0800"));
  header.type = kEtherTypeIpv6;
  header.vlan = 0x0abc;
  EXPECT_EQ(written(header), hex("020000000001 020000000002 8100 0abc 86dd"));
}

TEST(Ethernet, ReadsWhatItWrote) {
  for (unsigned vlan = 0; vlan <= 4095; ++vlan) {
    const EthernetHeader header{.to = MacAddress::broadcast(),
                                .from = kOurMac,
                                .type = kEtherTypeArp,
                                .vlan = static_cast<std::uint16_t>(vlan)};
    const auto parsed = parse_ethernet(written(header));
    ASSERT_TRUE(parsed) << vlan;
    EXPECT_EQ(parsed->header.to, header.to);
    EXPECT_EQ(parsed->header.from, header.from);
    EXPECT_EQ(parsed->header.type, header.type);
    EXPECT_EQ(parsed->header.vlan, vlan);
    EXPECT_EQ(parsed->size, vlan == kNoVlan ? 14u : 18u);
  }
}

TEST(Ethernet, SaysWhenAHeaderDoesNotFit) {
  std::array<std::uint8_t, 18> buffer{};
  ByteWriter out(MutableBytes(buffer).first(17));
  write_ethernet({.to = kOurMac, .from = kTheirMac, .type = kEtherTypeIpv4, .vlan = 1}, out);
  EXPECT_FALSE(out.ok());
  EXPECT_EQ(buffer[17], 0);
}

}  // namespace
}  // namespace ipop::engine
