// The UDP port on loopback.
#include "engine/port/udp_port.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/engine.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/udp_socket.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

class UdpPortTest : public testing::Test {
 protected:
  UdpPortTest() { start_eal_for({}); }
  void SetUp() override { pool_.emplace(PoolSettings{.packets = 1023}); }
  void TearDown() override { EXPECT_EQ(pool_->available(), pool_->size()); }

  rte_mbuf* packet(const Endpoint& to, std::size_t size, std::uint8_t mark) {
    rte_mbuf* const made = rte_pktmbuf_alloc(pool_->get());
    std::memset(data_of(made), mark, size);
    if (size != 0) data_of(made)[0] = kDataType;  // not for the overlay
    set_length(made, static_cast<std::uint32_t>(size));
    meta(made).endpoint = to;
    return made;
  }
  // Waits for and takes one burst; empty after two seconds.
  std::vector<std::pair<Endpoint, Bytes>> receive(UdpPort& port) {
    int fds[kMaxWaitFds];
    pollfd wait[kMaxWaitFds];
    const std::size_t count = port.wait_fds(fds);
    for (std::size_t i = 0; i < count; ++i)
      wait[i] = {.fd = fds[i], .events = POLLIN};
    poll(wait, count, 2000);
    rte_mbuf* burst[kBurst];
    std::vector<std::pair<Endpoint, Bytes>> taken;
    const std::uint16_t got = port.rx_burst(pool_->get(), burst);
    for (std::uint16_t i = 0; i < got; ++i) {
      const MutableBytes bytes = bytes_of(burst[i]);
      taken.emplace_back(meta(burst[i]).endpoint, Bytes(bytes.begin(), bytes.end()));
      rte_pktmbuf_free(burst[i]);
    }
    return taken;
  }

  std::optional<Mempool> pool_;
};

const Endpoint kAny4 = endpoint("127.0.0.1:0");
const Endpoint kAny6 = endpoint("[::1]:0");

std::string failure_of(const UdpSettings& settings) {
  try {
    const UdpPort port(settings);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(UdpPortTest, CarriesABurstInBothFamilies) {
  UdpPort alice({.listen = {kAny4, kAny6}});
  UdpPort bob({.listen = {kAny4, kAny6}});
  if (bob.bound().size() < 2) GTEST_SKIP() << "no IPv6 on this machine";
  EXPECT_EQ(bob.bound()[0].port, bob.bound()[1].port);
  std::vector<rte_mbuf*> burst;
  for (std::uint8_t i = 0; i < kBurst; ++i) {
    burst.push_back(packet(bob.bound()[i % 2], 100u + i, i));
  }
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  alice.tx_burst(burst, sent, refused);
  EXPECT_EQ(sent, kBurst);
  EXPECT_EQ(refused, 0u);
  std::size_t taken = 0;
  while (taken < kBurst) {
    const auto got = receive(bob);
    ASSERT_FALSE(got.empty());
    for (const auto& [from, bytes] : got) {
      ASSERT_FALSE(bytes.empty());
      EXPECT_EQ(bytes.size(), 100u + bytes[1]);
      EXPECT_EQ(from, alice.bound()[bytes[1] % 2]);
    }
    taken += got.size();
  }
}

// Each flow comes by one of the queues, and all that is sent leaves from the one port.
TEST_F(UdpPortTest, SharesItsPortWithFurtherQueues) {
  UdpPort first({.listen = {kAny4}, .shares_port = true});
  const std::unique_ptr<UdpPort> second = first.further_queue();
  EXPECT_EQ(second->bound(), first.bound());
  UdpPort* const queues[] = {&first, second.get()};
  std::size_t seen[2] = {};
  for (int i = 0; i < 16; ++i) {
    UdpPort sender({.listen = {kAny4}});
    std::size_t by[2] = {};
    for (std::uint8_t j = 0; j < 4; ++j) {
      rte_mbuf* datagram = packet(first.bound()[0], 50, j);
      std::uint32_t sent = 0;
      std::uint32_t refused = 0;
      sender.tx_burst({&datagram, 1}, sent, refused);
      EXPECT_EQ(sent, 1u);
    }
    rte_mbuf* burst[kBurst];
    for (int tries = 0; by[0] + by[1] < 4 && tries < 1000; ++tries) {
      for (std::size_t queue = 0; queue < 2; ++queue) {
        const std::uint16_t got = queues[queue]->rx_burst(pool_->get(), burst);
        rte_pktmbuf_free_bulk(burst, got);
        by[queue] += got;
      }
    }
    EXPECT_EQ(by[0] + by[1], 4u);
    EXPECT_TRUE(by[0] == 0 || by[1] == 0) << "a flow came by two queues";
    seen[0] += by[0];
    seen[1] += by[1];
  }
  EXPECT_GT(seen[0], 0u);
  EXPECT_GT(seen[1], 0u);

  UdpPort far({.listen = {kAny4}});
  for (UdpPort* const queue : queues) {
    rte_mbuf* datagram = packet(far.bound()[0], 50, 1);
    std::uint32_t sent = 0;
    std::uint32_t refused = 0;
    queue->tx_burst({&datagram, 1}, sent, refused);
    EXPECT_EQ(sent, 1u);
    const auto got = receive(far);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].first, first.bound()[0]);
  }
}

// Another daemon that also shares its port would take half of the flows.
TEST_F(UdpPortTest, DoesNotShareItsPortWithOthers) {
  UdpPort first({.listen = {kAny4}, .shares_port = true});
  const std::string taken = "UDP port " + std::to_string(first.port()) + " is taken";
  EXPECT_TRUE(failure_of({.listen = first.bound(), .shares_port = true}).starts_with(taken));
  EXPECT_TRUE(failure_of({.listen = first.bound()}).starts_with(taken));
}

// What one queue opens, others send by.
TEST_F(UdpPortTest, SendsByFurtherSocketsFromAllQueues) {
  UdpPort first({.listen = {kAny4}, .shares_port = true});
  const std::unique_ptr<UdpPort> second = first.further_queue();
  const auto socket = first.open_socket();
  ASSERT_TRUE(socket);
  UdpPort far({.listen = {kAny4}});
  Endpoint to = far.bound()[0];
  to.socket = *socket;
  rte_mbuf* datagram = packet(to, 50, 1);
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  second->tx_burst({&datagram, 1}, sent, refused);
  EXPECT_EQ(sent, 1u);
  const auto got = receive(far);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_NE(got[0].first.port, first.port());
  first.unlink_socket (*socket)();
}

TEST_F(UdpPortTest, GoesOnAfterADatagramThatCannotGo) {
  UdpPort alice({.listen = {kAny4}});
  UdpPort bob({.listen = {kAny4}});
  rte_mbuf* burst[] = {
      packet(bob.bound()[0], 10, 1),
      packet(endpoint("[::1]:9"), 10, 2),            // no such family here
      packet(endpoint("255.255.255.255:9"), 10, 3),  // refused by the kernel
      packet(endpoint("127.0.0.1:0"), 10, 4),        // refused by the kernel
      packet(bob.bound()[0], 10, 5),
  };
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  alice.tx_burst(burst, sent, refused);
  EXPECT_EQ(sent, 2u);
  EXPECT_EQ(refused, 3u);
  const auto got = receive(bob);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].second[1], 1);
  EXPECT_EQ(got[1].second[1], 5);
}

TEST_F(UdpPortTest, IsNotStoppedByAPortThatNobodyListensTo) {
  UdpPort alice({.listen = {kAny4}});
  UdpPort bob({.listen = {kAny4}});
  Endpoint nobody;
  {
    UdpPort gone({.listen = {kAny4}});
    nobody = gone.bound()[0];
  }
  for (int i = 0; i < 3; ++i) {
    rte_mbuf* burst[] = {packet(nobody, 10, 1), packet(bob.bound()[0], 10, 2)};
    std::uint32_t sent = 0;
    std::uint32_t refused = 0;
    alice.tx_burst(burst, sent, refused);
    EXPECT_EQ(sent, 2u);
    EXPECT_EQ(receive(bob).size(), 1u);
  }
  rte_mbuf* burst[] = {packet(alice.bound()[0], 10, 3)};
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  bob.tx_burst(burst, sent, refused);
  EXPECT_EQ(receive(alice).size(), 1u);
}

TEST_F(UdpPortTest, PassesATruncatedDatagramOnAsEmpty) {
  UdpPort bob({.listen = {kAny4}});
  const Fd sender = *open_udp_socket(kAny4, 1 << 20);
  sockaddr_storage to;
  const std::size_t size = bob.bound()[0].to_sockaddr(to);
  const Bytes large(9000);
  ASSERT_EQ(sendto(sender.get(), large.data(), large.size(), 0,
                   reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(size)),
            9000);
  const auto got = receive(bob);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0].second.empty());
}

TEST_F(UdpPortTest, SetsDontFragmentAndIgnoresWhatOthersSayOfThePath) {
  UdpPort port({.listen = {kAny4}});
  int fds[kMaxWaitFds];
  // It, and what tells of the overlay's and of further sockets.
  ASSERT_EQ(port.wait_fds(fds), 3u);
  int value = 0;
  socklen_t size = sizeof value;
  ASSERT_EQ(getsockopt(fds[0], IPPROTO_IP, IP_MTU_DISCOVER, &value, &size), 0);
  EXPECT_EQ(value, IP_PMTUDISC_PROBE);
}

TEST_F(UdpPortTest, SaysWhatToDoWhenItsPortIsTaken) {
  const UdpPort first({.listen = {kAny4}});
  const std::string what = failure_of({.listen = first.bound()});
  EXPECT_EQ(what, "UDP port " + std::to_string(first.port()) +
                      " is taken (by another ipopd?): stop it, or set another port in "
                      "overlay.listen");
}

TEST_F(UdpPortTest, SaysWhatIsWrongWithItsSettings) {
  EXPECT_NE(failure_of({}), "");
  EXPECT_NE(failure_of({.listen = {endpoint("127.0.0.1:1"), endpoint("[::1]:2")}}), "");
  EXPECT_EQ(failure_of({.listen = {endpoint("198.51.100.1:0")}}),
            "198.51.100.1 in overlay.listen is not an address of this machine");
}

}  // namespace
}  // namespace ipop::engine
