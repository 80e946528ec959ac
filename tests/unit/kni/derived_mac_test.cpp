#include "kni/derived_mac.hpp"

#include <gtest/gtest.h>

#include <set>

#include "frames.hpp"

namespace ipop::kni {
namespace {

using testing::ip;

TEST(MacAddress, CarriesAnIpv4AddressInPlainSight) {
  EXPECT_EQ(derived_mac(ip("192.168.10.20")).to_string(), "02:49:c0:a8:0a:14");
  EXPECT_EQ(derived_mac(ip("255.255.255.254")).to_string(), "02:49:ff:ff:ff:fe");
}

TEST(MacAddress, IsUnicastAndLocallyAdministered) {
  for (const char* text : {"10.0.0.1", "fd00::1", "2001:db8::ffff", "::1"}) {
    const MacAddress mac = derived_mac(ip(text));
    EXPECT_FALSE(mac.is_group()) << text;
    EXPECT_EQ(mac.bytes[0] & 2, 2) << text;
  }
}

TEST(MacAddress, StaysTheSameForAnAddress) {
  EXPECT_EQ(derived_mac(ip("fd00::1")), derived_mac(ip("fd00:0::0:1")));
}

TEST(MacAddress, DiffersBetweenNeighboursAndFamilies) {
  std::set<MacAddress> seen;
  for (unsigned i = 1; i <= 1000; ++i) {
    seen.insert(derived_mac(IpAddress::v4(0xc0a80000u + i)));
    IpAddress::Bytes bytes = ip("fd00:10::").bytes();
    bytes[14] = static_cast<std::uint8_t>(i >> 8);
    bytes[15] = static_cast<std::uint8_t>(i);
    seen.insert(derived_mac(IpAddress(bytes)));
  }
  EXPECT_EQ(seen.size(), 2000u);
}

}  // namespace
}  // namespace ipop::kni
