// A DPDK port whose driver has a link that goes up and down and takes buffers by itself: shared
// memory, both ends in this process.
#include <gtest/gtest.h>
#include <rte_alarm.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "engine/mempool.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/ethdev_port.hpp"
#include "tests/unit/engine/net/frames.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::ip;

constexpr std::uint16_t kPort = 4545;
constexpr std::uint16_t kRoom = 256;
constexpr auto kPatience = std::chrono::seconds(10);

class EthdevMemif : public ::testing::Test {
 protected:
  enum class Role : std::uint8_t { kServer, kClient };

  void SetUp() override {
    start_eal_for({});
    std::filesystem::create_directory(folder_);
    pool.emplace(PoolSettings{.packets = 2047});
    far_pool.emplace(PoolSettings{.packets = 2047});
  }
  // The port has this role, and the far end the other. A server starts first.
  void start(Role role) {
    ours = role;
    if (role == Role::kClient) connect();
    port.emplace(EthdevPortSettings{.device = {.device = device("near", role == Role::kClient),
                                               .rx_descriptors = kRoom,
                                               .tx_descriptors = kRoom},
                                    .addresses = {{ip("192.0.2.1"), 24}},
                                    .gateways = {},
                                    .port = kPort});
    port->attach(PacketPools(pool->get()));
    if (role == Role::kServer) connect();
    await_link();
    port->tick(now);
    meet();
  }
  void TearDown() override {
    port->release_buffers();
    await_eal_thread();
    port.reset();
    await_eal_thread();
    far.reset();
    EXPECT_EQ(pool->available(), pool->size());
    EXPECT_EQ(far_pool->available(), far_pool->size());
    std::filesystem::remove_all(folder_);
  }

  // The far end.
  void connect() {
    far.emplace(EthdevSettings{.device = device("far", ours == Role::kServer),
                               .rx_descriptors = kRoom,
                               .tx_descriptors = kRoom});
    far->start(far_pool->get());
  }
  [[nodiscard]] static bool has_link(const EthdevDevice& device) {
    rte_eth_link link{};
    return rte_eth_link_get_nowait(device.id(), &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
  }
  void await_link() {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!has_link(*far) || !has_link(port->device())) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::yield();
    }
    // A client offers its server buffers when it is polled.
    EXPECT_EQ(far_receives(), 0u);
    EXPECT_TRUE(receive().empty());
  }

  // Polled by nobody meanwhile: DPDK's driver unmaps its memory at once.
  void end_far() {
    far.reset();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (has_link(port->device())) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::yield();
    }
    await_eal_thread();
  }
  // What EAL's interrupt thread was at is done.
  static void await_eal_thread() {
    std::atomic<bool> passed{false};
    const auto pass = [](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); };
    ASSERT_EQ(rte_eal_alarm_set(1, pass, &passed), 0);
    while (!passed)
      std::this_thread::yield();
  }

  // Bytes of what came, from its payload on.
  std::vector<Bytes> receive() {
    std::vector<Bytes> taken;
    rte_mbuf* burst[kBurst];
    const std::uint16_t got = port->rx_burst(PacketPools(pool->get()), burst);
    for (rte_mbuf* const each : std::span(burst, got)) {
      const MutableBytes bytes = bytes_of(each);
      taken.emplace_back(bytes.begin(), bytes.end());
      rte_pktmbuf_free(each);
    }
    return taken;
  }
  // How many of so many datagrams the port takes.
  std::uint32_t send(std::uint16_t count) {
    rte_mbuf* burst[kBurst];
    EXPECT_EQ(rte_pktmbuf_alloc_bulk(pool->get(), burst, count), 0);
    for (rte_mbuf* const each : std::span(burst, count)) {
      *data_of(each) = 4;
      set_length(each, 100);
      meta(each).endpoint = {ip("192.0.2.2"), kPort};
    }
    std::uint32_t sent = 0;
    std::uint32_t refused = 0;
    port->tx_burst({burst, count}, sent, refused);
    EXPECT_EQ(sent + refused, count);
    return sent;
  }
  // What the far end gets, all of it; and what it can send.
  std::size_t far_receives() {
    std::size_t sum = 0;
    rte_mbuf* burst[kBurst];
    while (const std::uint16_t got = rte_eth_rx_burst(far->id(), 0, burst, kBurst)) {
      sum += got;
      rte_pktmbuf_free_bulk(burst, got);
    }
    return sum;
  }
  bool far_sends(const Bytes& frame) {
    rte_mbuf* made = rte_pktmbuf_alloc(far_pool->get());
    std::ranges::copy(frame, data_of(made));
    set_length(made, static_cast<std::uint32_t>(frame.size()));
    if (rte_eth_tx_burst(far->id(), 0, &made, 1) == 1) return true;
    rte_pktmbuf_free(made);
    return false;
  }
  [[nodiscard]] Bytes frame_for_us() const {
    return testing::framed(
        port->device().mac(), testing::kTheirMac, 0x0800,
        testing::summed(
            testing::Ipv4{.payload = testing::udp(kPort, kPort, Bytes{4, 0, 0, 0})}.bytes()));
  }
  [[nodiscard]] std::uint64_t count(WireEvent event) const {
    return port->events().at(static_cast<std::size_t>(event));
  }

  std::optional<Mempool> pool;
  std::optional<Mempool> far_pool;
  std::optional<EthdevDevice> far;
  std::optional<EthdevPort> port;
  Instant now{std::chrono::hours(1)};
  Role ours = Role::kClient;

 private:
  [[nodiscard]] std::string device(const std::string& name, bool client) const {
    return "net_memif_" + name +
           ",socket-abstract=no,rsize=8,role=" + (client ? "client" : "server") +
           ",socket=" + (folder_ / "memif.sock").string();
  }
  void meet() {
    (void)send(1);
    ASSERT_TRUE(far_sends(testing::framed(
        port->device().mac(), testing::kTheirMac, 0x0806,
        testing::arp(2, testing::kTheirMac, "192.0.2.2", port->device().mac(), "192.0.2.1"))));
    EXPECT_TRUE(receive().empty());
    EXPECT_EQ(far_receives(), 3u);  // its announcement, the question, and what waited
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("ipop-memif-test-" + std::to_string(getpid()));
};

TEST_F(EthdevMemif, GoesOnWhenItsClientWasAway) {
  start(Role::kServer);
  EXPECT_EQ(send(kBurst), kBurst);
  EXPECT_EQ(far_receives(), kBurst);
  end_far();
  EXPECT_EQ(send(kBurst), 0u);
  EXPECT_EQ(count(WireEvent::kQueueFull), kBurst);
  EXPECT_FALSE(port->is_gone());
  connect();
  await_link();
  EXPECT_EQ(send(kBurst), kBurst);
  EXPECT_EQ(far_receives(), kBurst);
  EXPECT_TRUE(far_sends(frame_for_us()));
  EXPECT_EQ(receive().size(), 1u);
  EXPECT_EQ(count(WireEvent::kQueueFull), kBurst);
}

TEST_F(EthdevMemif, IsGoneWhenItsServerEnds) {
  start(Role::kClient);
  EXPECT_FALSE(port->is_gone());
  end_far();
  EXPECT_EQ(send(kBurst), 0u);
  EXPECT_EQ(count(WireEvent::kQueueFull), kBurst);
  EXPECT_TRUE(port->is_gone());
}

TEST_F(EthdevMemif, CountsWhatAFullQueueDoesNotTake) {
  start(Role::kClient);
  std::uint32_t sent = 0;
  for (int i = 0; i < 2 * kRoom / kBurst; ++i)
    sent += send(kBurst);
  EXPECT_EQ(sent, kRoom);
  EXPECT_EQ(count(WireEvent::kQueueFull), kRoom);
  EXPECT_EQ(far_receives(), kRoom);
  EXPECT_EQ(send(kBurst), kBurst);
}

// Where there are no buffers, what comes waits where it is, and its sender sees a full queue.
TEST_F(EthdevMemif, LeavesWhatComesWhereItIsWhileThereAreNoBuffers) {
  start(Role::kClient);
  std::vector<rte_mbuf*> hoard;
  while (rte_mbuf* const one = rte_pktmbuf_alloc(pool->get()))
    hoard.push_back(one);
  const Bytes frame = frame_for_us();
  unsigned taken = 0;
  while (far_sends(frame))
    ++taken;
  EXPECT_GT(taken, 0u);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(receive().empty());
  EXPECT_FALSE(far_sends(frame));
  rte_pktmbuf_free_bulk(hoard.data(), static_cast<unsigned>(hoard.size()));
  unsigned came = 0;
  while (const std::size_t some = receive().size())
    came += static_cast<unsigned>(some);
  EXPECT_EQ(came, taken);
  EXPECT_TRUE(far_sends(frame));
  EXPECT_EQ(receive().size(), 1u);
}

}  // namespace
}  // namespace ipop::engine
