#include "overlay/port_mapping/default_route.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

constexpr const char* kHead =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

std::string gateway(const std::string& rows) {
  const auto found = default_gateway(kHead + rows, "tapipop");
  return found ? found->to_string() : "none";
}

// As a little-endian kernel prints it.
TEST(DefaultRoute, IsTheOneWithTheSmallestMetric) {
  EXPECT_EQ(gateway("eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                    "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"),
            "192.168.1.1");
}

TEST(DefaultRoute, DoesNotGoThroughTheVirtualInterfaceNorWithoutAGateway) {
  EXPECT_EQ(gateway("tapipop\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"), "none");
  EXPECT_EQ(gateway("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"), "none");
  EXPECT_EQ(gateway("eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"), "none")
      << "half of the internet";
}

TEST(DefaultRoute, IsNotReadFromNonsense) {
  EXPECT_EQ(gateway(""), "none");
  EXPECT_EQ(gateway("eth0\n"), "none");
  EXPECT_EQ(gateway("eth0\tx\ty\tz\n"), "none");
}

}  // namespace
}  // namespace ipop::overlay
