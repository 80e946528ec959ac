#include "app/wire.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace ipop::app {
namespace {

conf::Config listening(const std::string& at) {
  conf::Config config;
  config.network.name = "tutorial";
  config.network.address = *Prefix::parse("192.168.10.10/24");
  config.overlay.listen = {*Endpoint::parse(at)};
  return config;
}

conf::Config on_device(const std::string& device, const std::string& listen) {
  conf::Config config = listening(listen);
  config.wire.backend = conf::WireBackend::kDpdk;
  config.wire.device = device;
  return config;
}

std::string failure_of(const conf::Config& config) {
  try {
    const Wire wire = make_wire(config, {});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(MakeWire, GivesTheKernelsSockets) {
  const Wire wire = make_wire(listening("127.0.0.1:0"), {});
  EXPECT_EQ(wire.name, "socket");
  EXPECT_TRUE(wire.is_kernels);
  ASSERT_EQ(wire.bound.size(), 1u);
  EXPECT_NE(wire.bound[0].port, 0);
  EXPECT_TRUE(wire.ports.at(0)->takes_trains());
  EXPECT_TRUE(wire.addresses);
  EXPECT_TRUE(wire.mtu_towards);
  EXPECT_EQ(wire.ports.at(0)->events(), engine::WireEvents{});
}

TEST(MakeWire, SaysWhyADeviceIsOfNoUse) {
  EXPECT_EQ(failure_of(on_device("net_af_packet0,iface=ipop-none0", "0.0.0.0:0")),
            "wire.device net_af_packet0,iface=ipop-none0: interface ipop-none0 has no address; "
            "give it one, or set wire.address");
  conf::Config config = on_device("net_memif0", "[::]:0");
  config.wire.address = *Prefix::parse("192.0.2.10/24");
  EXPECT_EQ(failure_of(config), "overlay.listen names none of the addresses that the wire has");
  config.overlay.listen = {*Endpoint::parse("0.0.0.0:0")};
  config.wire.device = "net_af_packet0,iface=ipop-none0";
  EXPECT_EQ(failure_of(config),
            "wire.device net_af_packet0,iface=ipop-none0: this machine has no interface "
            "ipop-none0");
}

}  // namespace
}  // namespace ipop::app
