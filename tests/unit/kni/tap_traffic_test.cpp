// The port on a real tap, in a network namespace of its own:
//
//     UDP sockets ── kernel ── tapipop ── TapPort ── this test, as the engine and all its peers
//            192.168.10.10/24, fd00:10::10/64          192.168.10.20, fd00:10::20, …
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <array>
#include <optional>
#include <set>

#include "frames.hpp"
#include "kni/checksum.hpp"
#include "kni/derived_mac.hpp"
#include "kni/host_link.hpp"
#include "kni/tap_port.hpp"
#include "packet_pool.hpp"
#include "private_network.hpp"

namespace ipop::kni {
namespace {

using testing::Bytes;
using testing::eventually;
using testing::ip;
using testing::packet_pool;
using testing::receive;
using testing::send_to;
using testing::udp_frame;
using testing::udp_socket;

class TapTraffic : public testing::PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_NE(packet_pool(), nullptr);
    link_.emplace(HostLinkSettings{
        .mtu = 1300, .addresses = {{ip("192.168.10.10"), 24}, {ip("fd00:10::10"), 64}}});
    port_.emplace(link_->tap().queues.front().get(), link_->mac(), link_->own_addresses());
  }
  void TearDown() override { EXPECT_EQ(testing::packets_in_use(), 0u); }

  // The next unicast frame from the kernel; empty after two seconds without one.
  [[nodiscard]] Bytes next_frame() {
    Bytes found;
    EXPECT_TRUE(eventually(link_->tap().queues.front().get(), POLLIN, [&] {
      std::array<rte_mbuf*, 1> packet;
      while (port_->rx_burst(packet_pool(), packet) == 1) {
        Bytes frame = testing::to_bytes(packet[0]);
        // As the far end's engine would, if its host wants it whole.
        if ((packet[0]->ol_flags & RTE_MBUF_F_TX_UDP_CKSUM) != 0) {
          EXPECT_TRUE(complete_checksum(frame, packet[0]->l2_len + packet[0]->l3_len, 6u));
        }
        rte_pktmbuf_free(packet[0]);
        if (MacAddress::at(frame.data()).is_group()) continue;
        found = frame;
        return true;
      }
      return false;
    }));
    return found;
  }

  // The kernel's own multicast may be waiting at any time.
  void read_all() {
    std::array<rte_mbuf*, engine::kBurst> packets;
    while (const std::uint16_t count = port_->rx_burst(packet_pool(), packets)) {
      rte_pktmbuf_free_bulk(packets.data(), count);
    }
  }

  // From the peer 192.168.10.20, or fd00:10::20.
  // How many were written.
  [[nodiscard]] std::uint32_t write(Bytes frame) {
    return port_->tx_burst(std::array{testing::host_frame(frame)}).delivered;
  }

  std::optional<HostLink> link_;
  std::optional<TapPort> port_;
};

TEST_F(TapTraffic, TheFirstPacketToAPeerIsNotLost) {
  struct Case {
    const char *own, *peer;
  };
  for (const auto& [own, peer] :
       {Case{"192.168.10.10", "192.168.10.20"}, Case{"fd00:10::10", "fd00:10::20"}}) {
    const Fd socket = udp_socket({ip(own), 4000});
    ASSERT_EQ(send_to(socket, {ip(peer), 5000}, "the first"), 0);
    Bytes expected =
        udp_frame(derived_mac(ip(peer)), {ip(own), 4000}, {ip(peer), 5000}, "the first");
    const Bytes frame = next_frame();
    ASSERT_EQ(frame.size(), expected.size()) << peer;
    EXPECT_EQ(MacAddress::at(frame.data()), derived_mac(ip(peer)));
    EXPECT_EQ(MacAddress::at(&frame[6]), link_->mac());
    EXPECT_EQ(Bytes(frame.end() - 9, frame.end()), Bytes(expected.end() - 9, expected.end()));
    // IPv6 carries a checksum in every UDP datagram, and what the kernel began was right.
    if (frame[12] == 0x86) {
      EXPECT_EQ(testing::slow_ipv6_checksum(ByteView(frame).subspan(14)), 0);
    }
  }
  EXPECT_EQ(port_->neighbour_answered(), 2u);
}

TEST_F(TapTraffic, ABurstToManyNewPeersArrivesInFull) {
  const Fd socket = udp_socket({ip("192.168.10.10"), 4000});
  std::set<std::uint8_t> waiting;
  for (std::uint8_t last = 20; last < 120; ++last) {
    ASSERT_EQ(send_to(socket, {IpAddress::v4(0xc0a80a00u + last), 5000}, "hello"), 0);
    waiting.insert(last);
  }
  while (!waiting.empty()) {
    const Bytes frame = next_frame();
    ASSERT_FALSE(frame.empty()) << waiting.size() << " did not arrive";
    EXPECT_EQ(waiting.erase(frame.at(33)), 1u);
  }
}

TEST_F(TapTraffic, APeerBehindARouteIsReached) {
  ASSERT_TRUE(link_->add_route(*Prefix::parse("10.9.0.0/16")));
  const Fd socket = udp_socket({ip("0.0.0.0"), 4000});
  ASSERT_EQ(send_to(socket, {ip("10.9.1.2"), 5000}, "far"), 0);
  const Bytes frame = next_frame();
  ASSERT_EQ(frame.size(), 14u + 20 + 8 + 3);
  EXPECT_EQ(IpAddress::v4_at(&frame[26]), ip("192.168.10.10"));
  EXPECT_EQ(IpAddress::v4_at(&frame[30]), ip("10.9.1.2"));
}

TEST_F(TapTraffic, AFrameFromAPeerReachesASocket) {
  struct Case {
    const char *own, *peer;
  };
  for (const auto& [own, peer] :
       {Case{"192.168.10.10", "192.168.10.20"}, Case{"fd00:10::10", "fd00:10::20"}}) {
    const Fd socket = udp_socket({ip(own), 4000});
    EXPECT_EQ(write(udp_frame(link_->mac(), {ip(peer), 5000}, {ip(own), 4000}, "from a peer")), 1u);
    Endpoint from;
    EXPECT_EQ(receive(socket, &from), "from a peer");
    EXPECT_EQ(from, (Endpoint{ip(peer), 5000}));
  }
}

TEST_F(TapTraffic, AnInterfaceThatIsDownTakesNothingAndComesBack) {
  const Fd socket = udp_socket({ip("192.168.10.10"), 4000});
  const Bytes frame =
      udp_frame(link_->mac(), {ip("192.168.10.20"), 5000}, {ip("192.168.10.10"), 4000}, "again");
  testing::set_up("tapipop", false);
  EXPECT_EQ(write(frame), 0u);
  read_all();
  EXPECT_EQ(port_->counters().errors, 1u);
  EXPECT_FALSE(port_->gone());

  testing::set_up("tapipop", true);
  EXPECT_EQ(write(frame), 1u);
  EXPECT_EQ(receive(socket), "again");
}

TEST_F(TapTraffic, AnInterfaceThatWasDeletedWakesNobodyForEver) {
  const Fd waiter(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN};
  ASSERT_EQ(::epoll_ctl(waiter.get(), EPOLL_CTL_ADD, link_->tap().queues.front().get(), &event), 0);
  testing::delete_interface("tapipop");
  // The kernel reports it, again and again, until the port has looked.
  EXPECT_EQ(::epoll_wait(waiter.get(), &event, 1, 2000), 1);
  read_all();
  EXPECT_TRUE(port_->gone());
  EXPECT_EQ(::epoll_wait(waiter.get(), &event, 1, 0), 0);

  EXPECT_EQ(write(udp_frame(link_->mac(), {ip("192.168.10.20"), 1}, {ip("192.168.10.10"), 2}, "")),
            0u);
  std::array<int, engine::kMaxWaitFds> fds{};
  EXPECT_EQ(port_->wait_fds(fds), 0u);
}

TEST_F(TapTraffic, AWriteNoticesADeletedInterfaceToo) {
  testing::delete_interface("tapipop");
  EXPECT_EQ(write(udp_frame(link_->mac(), {ip("192.168.10.20"), 1}, {ip("192.168.10.10"), 2}, "")),
            0u);
  EXPECT_TRUE(port_->gone());
}

}  // namespace
}  // namespace ipop::kni
