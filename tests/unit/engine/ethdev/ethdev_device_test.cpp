#include "engine/port/ethdev_device.hpp"

#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "base/fd.hpp"
#include "engine/engine.hpp"
#include "engine/mempool.hpp"
#include "ring_link.hpp"

namespace ipop::engine {
namespace {

using testing::kOurMac;
using testing::RingDevice;

std::string failure_of(const EthdevSettings& settings) {
  try {
    Mempool pool({.packets = 2047});
    EthdevDevice device(settings);
    device.start(pool.get());
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

class EthdevDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    start_eal_for({});
    ports_ = rte_eth_dev_count_avail();
  }
  // Nothing half-made is left behind.
  void TearDown() override { EXPECT_EQ(rte_eth_dev_count_avail(), ports_); }

 private:
  unsigned ports_ = 0;
};

TEST_F(EthdevDeviceTest, FindsAPortThatIsThere) {
  const RingDevice ring;
  for (int i = 0; i < 2; ++i) {
    Mempool pool({.packets = 1023});
    EthdevDevice device({.device = ring.name()});
    EXPECT_EQ(device.mac(), kOurMac);
    EXPECT_EQ(device.driver(), "net_ring");
    EXPECT_FALSE(device.has_partial_checksums());
    device.start(pool.get());
    EXPECT_EQ(device.interrupt_fd(0), -1);
    EXPECT_TRUE(device.sockets(0).empty());
    EXPECT_FALSE(device.offloads().rx_ip_checksum);
    EXPECT_FALSE(device.offloads().tx_udp_checksum);
    device.stop();
    device.stop();
  }
}

TEST_F(EthdevDeviceTest, MakesAPortAndTakesItAway) {
  for (int i = 0; i < 2; ++i) {
    EthdevDevice device({.device = "net_ring_mine"});
    EXPECT_EQ(device.driver(), "net_ring");
    std::uint16_t id = 0;
    EXPECT_EQ(rte_eth_dev_get_port_by_name("net_ring_mine", &id), 0);
    EXPECT_EQ(id, device.id());
  }
}

TEST_F(EthdevDeviceTest, IsGoneWhenTheKernelWantsTheCardBack) {
  const EthdevDevice device({.device = "net_ring_mine"});
  const EthdevDevice other({.device = "net_ring_other"});
  rte_dev_event_callback_process("net_ring_mine", RTE_DEV_EVENT_ADD);
  EXPECT_FALSE(device.is_gone());
  rte_dev_event_callback_process("net_ring_mine", RTE_DEV_EVENT_REMOVE);
  EXPECT_TRUE(device.is_gone());
  EXPECT_FALSE(other.is_gone());
}

TEST_F(EthdevDeviceTest, FindsTheSocketsThatWakeItsLcore) {
  if (!Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))) GTEST_SKIP() << "needs CAP_NET_RAW";
  const Fd other(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  for (int i = 0; i < 2; ++i) {
    Mempool pool({.packets = 2047});
    EthdevDevice device({.device = "net_af_packet_test,iface=lo"});
    EXPECT_TRUE(device.has_partial_checksums());
    EXPECT_TRUE(device.sockets(0).empty());
    device.start(pool.get());
    EXPECT_EQ(device.interrupt_fd(0), -1);
    ASSERT_EQ(device.sockets(0).size(), 1u);
    EXPECT_NE(device.sockets(0)[0], other.get());
  }
}

TEST_F(EthdevDeviceTest, HasASocketForEachQueue) {
  if (!Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))) GTEST_SKIP() << "needs CAP_NET_RAW";
  Mempool pool({.packets = 4095});
  EthdevDevice device({.device = "net_af_packet0,iface=lo", .queues = 2});
  device.start(pool.get());
  ASSERT_EQ(device.sockets(0).size(), 1u);
  ASSERT_EQ(device.sockets(1).size(), 1u);
  EXPECT_NE(device.sockets(0)[0], device.sockets(1)[0]);
}

TEST_F(EthdevDeviceTest, SaysWhyThereIsNone) {
  EXPECT_EQ(failure_of({.device = "net_af_packet0,iface=ipop-none0"}),
            "wire.device net_af_packet0,iface=ipop-none0: this machine has no interface "
            "ipop-none0");
  EXPECT_EQ(failure_of({.device = "0000:fe:1f.7"}),
            "wire.device 0000:fe:1f.7: this machine has no PCI device of that address; `lspci` "
            "lists those that it has");
  for (int i = 0; i < 2; ++i) {
    const std::string what = failure_of({.device = "net_nobody0"});
    EXPECT_TRUE(what.starts_with("wire.device net_nobody0: its driver does not start")) << what;
  }
}

TEST_F(EthdevDeviceTest, SaysWhenItHasTooFewQueues) {
  const RingDevice one;
  EXPECT_EQ(failure_of({.device = one.name(), .queues = 2}),
            "wire.device " + one.name() + ": engine.lcores is 2, and it has 1 queue");
  const RingDevice two(255, 2);
  EXPECT_EQ(failure_of({.device = two.name(), .queues = 3}),
            "wire.device " + two.name() + ": engine.lcores is 3, and it has 2 queues");
  EXPECT_EQ(failure_of({.device = two.name(), .queues = 2}), "");
}

// The kernel would give a part of the flows to queues that nobody reads.
TEST_F(EthdevDeviceTest, SaysWhenItsTextAsksForOtherQueues) {
  EXPECT_EQ(failure_of({.device = "net_af_packet0,iface=lo,qpairs=4", .queues = 2}),
            "wire.device net_af_packet0,iface=lo,qpairs=4: its text asks for 4 queues, and "
            "engine.lcores is 2; leave that out");
}

TEST_F(EthdevDeviceTest, SaysWhatItsDriverTakesAtMost) {
  EthdevSettings settings{.device =
                              "net_memif0,role=server,socket-abstract=no,socket=/tmp/"
                              "ipop-ethdev-device-test-" +
                              std::to_string(getpid()),
                          .mtu = 9000};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(failure_of(settings),
              "wire.device " + settings.device + ": wire.mtu is 9000, and it takes 1500 at most");
  }
  settings.mtu = 1500;
  EXPECT_EQ(failure_of(settings), "");
}

}  // namespace
}  // namespace ipop::engine
