// Sockets that the wire opens while it runs: each with a port of its own, gone once closed.
#include "engine/port/further_sockets.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <numeric>
#include <set>

#include "engine/engine.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/memory_port.hpp"
#include "engine/port/udp_port.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

using namespace std::chrono_literals;

const Endpoint kAny4 = endpoint("127.0.0.1:0");

class FurtherSocketsTest : public testing::Test {
 protected:
  FurtherSocketsTest() { start_eal_for({}); }
  void SetUp() override { pool_.emplace(PoolSettings{.packets = 1023}); }
  void TearDown() override { EXPECT_EQ(pool_->available(), pool_->size()); }

  // Returns whether it was sent.
  bool send(UdpPort& port, const Endpoint& to, std::uint8_t mark) {
    rte_mbuf* const made = rte_pktmbuf_alloc(pool_->get());
    std::memset(data_of(made), mark, 10);
    set_length(made, 10);
    meta(made).endpoint = to;
    rte_mbuf* burst[] = {made};
    std::uint32_t sent = 0;
    std::uint32_t refused = 0;
    port.tx_burst(burst, sent, refused);
    EXPECT_EQ(sent + refused, 1u);
    return sent == 1;
  }
  // Where what comes next came from, and by which socket; nothing after `patience`.
  std::optional<Endpoint> receive(UdpPort& port, int patience_ms = 2000) {
    int fds[kMaxWaitFds];
    pollfd wait[kMaxWaitFds];
    const std::size_t count = port.wait_fds(fds);
    for (std::size_t i = 0; i < count; ++i)
      wait[i] = {.fd = fds[i], .events = POLLIN};
    if (poll(wait, count, patience_ms) == 0) return std::nullopt;
    rte_mbuf* burst[kBurst];
    // A port that was quiet is not asked for its further sockets every time.
    for (int turn = 0; turn < 64; ++turn) {
      const std::uint16_t got = port.rx_burst(pool_->get(), burst);
      if (got == 0) continue;
      EXPECT_EQ(got, 1u);
      const Endpoint source = meta(burst[0]).endpoint;
      rte_pktmbuf_free_bulk(burst, got);
      return source;
    }
    return std::nullopt;
  }

  std::optional<Mempool> pool_;
};

Endpoint by(const Endpoint& to, std::uint16_t socket) {
  Endpoint endpoint = to;
  endpoint.socket = socket;
  return endpoint;
}

TEST_F(FurtherSocketsTest, SendAndReceiveByPortsOfTheirOwn) {
  UdpPort alice({.listen = {kAny4}});
  UdpPort bob({.listen = {kAny4}});
  std::set<std::uint16_t> ports{alice.port()};
  for (std::uint16_t i = 1; i <= 3; ++i) {
    const auto socket = alice.open_socket();
    ASSERT_TRUE(socket);
    ASSERT_TRUE(send(alice, by(bob.bound()[0], *socket), 1));
    const auto source = receive(bob);
    ASSERT_TRUE(source);
    EXPECT_EQ(source->socket, 0u);
    EXPECT_TRUE(ports.insert(source->port).second);
    ASSERT_TRUE(send(bob, *source, 2));
    const auto back = receive(alice);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, by(bob.bound()[0], *socket));
  }
  ASSERT_TRUE(send(bob, alice.bound()[0], 3));
  EXPECT_EQ(receive(alice), bob.bound()[0]);
  alice.release_buffers();
  bob.release_buffers();
}

TEST_F(FurtherSocketsTest, OfLanesSendByPortsOfTheirOwnAndHearNothing) {
  const UdpSettings settings{.listen = {kAny4}, .shares_port = true, .lane_ports = 2};
  UdpPort alice(settings);
  const std::unique_ptr<UdpPort> second = alice.further_queue();
  UdpPort bob({.listen = {kAny4}});
  EXPECT_EQ(alice.lane_ports(), 2u);
  EXPECT_EQ(bob.lane_ports(), 0u);
  std::set<std::uint16_t> ports{alice.port()};
  for (const unsigned lane : {1u, 2u}) {
    std::set<std::uint16_t> of_lane;
    for (UdpPort* const queue : {&alice, second.get()}) {
      ASSERT_TRUE(send(*queue, by(bob.bound()[0], lane_socket(lane)), 1));
      const auto source = receive(bob);
      ASSERT_TRUE(source);
      of_lane.insert(source->port);
      ASSERT_TRUE(send(bob, *source, 2));
    }
    ASSERT_EQ(of_lane.size(), 1u) << "lcores share it";
    EXPECT_TRUE(ports.insert(*of_lane.begin()).second);
  }
  EXPECT_FALSE(receive(alice, 50));
  EXPECT_FALSE(receive(*second, 50));
  EXPECT_FALSE(send(alice, by(bob.bound()[0], lane_socket(3)), 1));
  EXPECT_FALSE(send(bob, by(alice.bound()[0], lane_socket(1)), 1));
  for (UdpPort* const port : {&alice, second.get(), &bob})
    port->release_buffers();
}

TEST_F(FurtherSocketsTest, AreHeardAfterALongSilence) {
  UdpPort alice({.listen = {kAny4}});
  UdpPort bob({.listen = {kAny4}});
  const auto socket = alice.open_socket();
  ASSERT_TRUE(socket);
  ASSERT_TRUE(send(alice, by(bob.bound()[0], *socket), 1));
  const auto source = receive(bob);
  ASSERT_TRUE(source);
  rte_mbuf* none[kBurst];
  for (int turn = 0; turn < 1000; ++turn)
    ASSERT_EQ(alice.rx_burst(pool_->get(), none), 0u);
  ASSERT_TRUE(send(bob, *source, 2));
  EXPECT_TRUE(receive(alice));
  alice.release_buffers();
  bob.release_buffers();
}

TEST_F(FurtherSocketsTest, NeitherSendNorReceiveOnceUnlinked) {
  UdpPort alice({.listen = {kAny4}});
  UdpPort bob({.listen = {kAny4}});
  const auto socket = alice.open_socket();
  ASSERT_TRUE(socket);
  ASSERT_TRUE(send(alice, by(bob.bound()[0], *socket), 1));
  const auto source = receive(bob);
  ASSERT_TRUE(source);
  auto free = alice.unlink_socket(*socket);
  EXPECT_FALSE(send(alice, by(bob.bound()[0], *socket), 1));
  ASSERT_TRUE(send(bob, *source, 2));
  EXPECT_FALSE(receive(alice, 50));
  EXPECT_NE(alice.open_socket().value_or(*socket), *socket);
  free();
  // A second time, and of one that never was.
  alice.unlink_socket (*socket)();
  alice.unlink_socket(0)();
  alice.unlink_socket(UINT16_MAX)();
  EXPECT_FALSE(send(alice, by(bob.bound()[0], UINT16_MAX), 1));
  alice.release_buffers();
  bob.release_buffers();
}

TEST_F(FurtherSocketsTest, AreBounded) {
  UdpPort port({.listen = {kAny4}});
  std::set<std::uint16_t> sockets;
  for (std::size_t i = 0; i < WireSockets::kMost; ++i) {
    const auto socket = port.open_socket();
    ASSERT_TRUE(socket) << socket.error().message;
    EXPECT_TRUE(sockets.insert(*socket).second);
  }
  const auto more = port.open_socket();
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().message, "all further sockets of the wire are in use");
  port.unlink_socket(7)();
  EXPECT_EQ(port.open_socket(), 7u);
}

TEST_F(FurtherSocketsTest, DoNotExistForIPv6) {
  UdpPort port({.listen = {endpoint("[::1]:0")}});
  const auto socket = port.open_socket();
  ASSERT_FALSE(socket);
  EXPECT_NE(socket.error().message.find("IPv4"), std::string::npos);
  EXPECT_FALSE(send(port, by(port.bound()[0], 1), 1));
}

// A running engine: what is closed is freed while its lcore works and sleeps.
TEST_F(FurtherSocketsTest, AreFreedWhileTheLcoreRuns) {
  auto udp = std::make_unique<UdpPort>(UdpSettings{.listen = {kAny4}});
  EngineSettings settings;
  settings.table = {.peers = 64, .sessions = 128, .hosts = 64, .prefixes = 64};
  settings.pool = {.packets = 2047};
  settings.supers.packets = 63;
  Engine engine(settings, std::make_unique<MemoryHostPort>(), std::move(udp));
  UdpPort sink({.listen = {kAny4}});
  engine.start();
  const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::uint16_t> sockets;
    for (int i = 0; i < 16; ++i) {
      const auto socket = engine.sockets().open_socket();
      ASSERT_TRUE(socket) << socket.error().message;
      sockets.push_back(*socket);
      engine.injector().send_datagram(by(sink.bound()[0], *socket), Bytes(10));
    }
    for (const std::uint16_t socket : sockets)
      engine.sockets().close_socket(socket);
    const Instant end = read_monotonic() + 10s;
    const auto handled = [&] {
      const EngineCounters all = engine.counters();
      return std::accumulate(all.fates.begin(), all.fates.end(), std::uint64_t{0}) == all.injected;
    };
    while (!handled() && read_monotonic() < end)
      poll(nullptr, 0, 1);
    ASSERT_TRUE(handled());
    engine.table().reclaim();
  }
  engine.stop();
  engine.table().reclaim();
  // Descriptors are given out from the lowest: if some had stayed open, this one would be far up.
  const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_LE(after, before + 1);
  close(before);
  close(after);
}

}  // namespace
}  // namespace ipop::engine
