// The loopback interface, which every machine has, with routes that are made up.
#include "app/kernel_interface.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace ipop::app {
namespace {

class KernelInterfaceTest : public ::testing::Test {
 protected:
  KernelInterfaceTest() {
    std::string folder = "/tmp/ipop-kernel-interface-test-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    proc_ = folder;
    std::filesystem::create_directory(proc_ / "net");
  }
  ~KernelInterfaceTest() override { std::filesystem::remove_all(proc_); }

  void routes(const std::string& lines) const {
    std::ofstream(proc_ / "net/route")
        << "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        << lines;
  }
  void routes6(const std::string& lines) const { std::ofstream(proc_ / "net/ipv6_route") << lines; }

  [[nodiscard]] std::vector<std::string> gateways() const {
    std::vector<std::string> found;
    for (const IpAddress& gateway : read_kernel_interface("lo", proc_).gateways)
      found.push_back(gateway.to_string());
    return found;
  }
  [[nodiscard]] bool has_v6() const {
    return read_kernel_interface("lo", proc_).addresses.size() == 2;
  }

  std::filesystem::path proc_;
};

using Texts = std::vector<std::string>;

// 203.0.113.1 as a little-endian machine's memory holds it.
const std::string kGateway = "017100CB";
const std::string kRest = "\t0\t0\t0\t00000000\t0\t0\t0\n";
const std::string kZero6 = "00000000000000000000000000000000";
const std::string kGateway6 = "fe8000000000000000000000000000fe";
const std::string kNumbers6 = " 00000400 00000001 00000000 ";

TEST_F(KernelInterfaceTest, HasItsAddressesWithTheirPrefixes) {
  const auto found = read_kernel_interface("lo", proc_).addresses;
  ASSERT_GE(found.size(), 1u);
  EXPECT_EQ(found[0].to_string(), "127.0.0.1/8");
  if (found.size() > 1) {
    EXPECT_EQ(found[1].to_string(), "::1/128");
  }
  EXPECT_TRUE(gateways().empty());
}

TEST_F(KernelInterfaceTest, IsEmptyWhereTheKernelHasNone) {
  routes("ipop-none0\t00000000\t" + kGateway + "\t0003" + kRest);
  for (const char* name : {"ipop-none0", ""}) {
    const KernelInterface found = read_kernel_interface(name, proc_);
    EXPECT_TRUE(found.addresses.empty()) << name;
    EXPECT_TRUE(found.gateways.empty()) << name;
  }
}

TEST_F(KernelInterfaceTest, HasTheGatewayOfItsDefaultRoute) {
  routes("lo\t00000000\t" + kGateway + "\t0003" + kRest);
  EXPECT_EQ(gateways(), Texts{"203.0.113.1"});
}

TEST_F(KernelInterfaceTest, HasTheGatewayOfItsDefaultRouteOfIpv6) {
  if (!has_v6()) GTEST_SKIP() << "no IPv6 on this machine";
  routes6(kZero6 + " 00 " + kZero6 + " 00 " + kGateway6 + kNumbers6 + "00000003       lo\n");
  EXPECT_EQ(gateways(), Texts{"fe80::fe"});
  routes("lo\t00000000\t" + kGateway + "\t0003" + kRest);
  EXPECT_EQ(gateways(), (Texts{"203.0.113.1", "fe80::fe"}));
}

TEST_F(KernelInterfaceTest, SkipsRoutesThatAreNotMeant) {
  const std::string others =
      "eth9\t00000000\t0101A8C0\t0003" + kRest +                      // another interface's
      "lo\t000200C0\t0201A8C0\t0003" + kRest +                        // to one subnet
      "lo\t00000000\t00000000\t0001" + kRest +                        // without a gateway
      "lo\t00000000\t0301A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n" +  // to half of the world
      "\nlo\nlo\tx\ty\tz\nlo\t00000000\t0401A8C0\t0003\n";            // no routes at all
  routes(others);
  EXPECT_TRUE(gateways().empty());
  routes(others + "lo\t00000000\t" + kGateway + "\t0003" + kRest);
  EXPECT_EQ(gateways(), Texts{"203.0.113.1"});
}

TEST_F(KernelInterfaceTest, SkipsRoutesOfIpv6ThatAreNotMeant) {
  if (!has_v6()) GTEST_SKIP() << "no IPv6 on this machine";
  const auto line = [](const std::string& length, const std::string& hop, const std::string& flags,
                       const std::string& interface) {
    return kZero6 + " " + length + " " + kZero6 + " 00 " + hop + kNumbers6 + flags + " " +
           interface + "\n";
  };
  const std::string others =
      line("00", kGateway6, "00000003", "eth9") + line("40", kGateway6, "00000003", "lo") +
      line("00", kZero6, "00200200", "lo") + line("00", "fe80", "00000003", "lo") +
      line("00", std::string(32, 'x'), "00000003", "lo") +
      line("00", kGateway6 + "00", "00000003", "lo") + "\nlo\n";
  routes6(others);
  EXPECT_TRUE(gateways().empty());
  routes6(others + line("00", kGateway6, "00000003", "lo"));
  EXPECT_EQ(gateways(), Texts{"fe80::fe"});
}

}  // namespace
}  // namespace ipop::app
