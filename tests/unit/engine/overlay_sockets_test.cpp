// What is for the overlay comes by a queue of its own: which datagrams that are, and how much of it
// is read beside what members send.
#include "engine/port/overlay_sockets.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/engine.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/reuseport_choice.hpp"
#include "engine/port/udp_port.hpp"
#include "engine/port/udp_socket.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

const Endpoint kAny4 = endpoint("127.0.0.1:0");
const Endpoint kAny6 = endpoint("[::1]:0");
constexpr std::uint8_t kData = 4;
constexpr std::uint8_t kRelayed = 5;
constexpr std::uint8_t kInitiation = 1;

void send_to(const Fd& from, const Endpoint& to, const Bytes& bytes) {
  sockaddr_storage address;
  const std::size_t size = to.to_sockaddr(address);
  ASSERT_EQ(sendto(from.get(), bytes.data(), bytes.size(), 0,
                   reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)),
            static_cast<ssize_t>(bytes.size()));
}

// Sockets of one port, as they are bound.
class Sharing {
 public:
  Sharing(const Endpoint& at, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      sockets_.push_back(*open_udp_socket({at.address, to_.port}, 1 << 20, PortUse::kShared));
      to_ = {at.address, local_port(sockets_[0])};
    }
  }
  const Fd& first() const { return sockets_[0]; }
  // The number of the one socket that gets it.
  std::size_t who_gets(const Bytes& bytes, const Fd& from) {
    send_to(from, to_, bytes);
    std::size_t who = sockets_.size();
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      std::uint8_t got[16];
      if (recv(sockets_[i].get(), got, sizeof got, MSG_DONTWAIT) < 0) continue;
      EXPECT_EQ(who, sockets_.size()) << "two have it";
      who = i;
    }
    return who;
  }

 private:
  std::vector<Fd> sockets_;
  Endpoint to_;
};

class ReuseportChoice : public testing::TestWithParam<Endpoint> {
 protected:
  void SetUp() override {
    try {
      sender = open_udp_socket(GetParam(), 1 << 20);
    } catch (const std::runtime_error&) {
    }
    if (!sender) GTEST_SKIP() << "no IPv6 on this machine";
  }
  std::optional<Fd> sender;
};

TEST_P(ReuseportChoice, GivesTheOverlayAllButDataAndWhatIsRelayed) {
  Sharing sharing(GetParam(), 2);
  ASSERT_TRUE(choose_by_kind(sharing.first(), GetParam().address.is_v4(), 1));
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool data = byte == kData || byte == kRelayed;
    const auto first = static_cast<std::uint8_t>(byte);
    EXPECT_EQ(sharing.who_gets({first, 0, 0, 0}, *sender), data ? 0u : 1u) << byte;
    EXPECT_EQ(sharing.who_gets({first}, *sender), data ? 0u : 1u) << byte;
  }
  EXPECT_EQ(sharing.who_gets({}, *sender), 0u);
}

TEST_P(ReuseportChoice, GivesEachFlowToOneQueue) {
  Sharing sharing(GetParam(), 4);
  const bool v4 = GetParam().address.is_v4();
  ASSERT_TRUE(choose_by_kind(sharing.first(), v4, 1));
  ASSERT_TRUE(choose_by_kind(sharing.first(), v4, 3));
  std::size_t seen[4] = {};
  for (int flow = 0; flow < 64; ++flow) {
    const Fd from = *open_udp_socket(GetParam(), 1 << 20);
    const std::size_t who = sharing.who_gets({kData, 0, 0, 0}, from);
    ASSERT_LT(who, 4u);
    ++seen[who];
    for (const std::uint8_t kind : {kData, kRelayed})
      EXPECT_EQ(sharing.who_gets({kind, 1, 2, 3, 4}, from), who);
    EXPECT_EQ(sharing.who_gets({kInitiation, 0, 0, 0}, from), 1u);
  }
  EXPECT_EQ(seen[1], 0u);
  for (const std::size_t queue : {0u, 2u, 3u})
    EXPECT_GT(seen[queue], 64u / 8) << queue;
}

INSTANTIATE_TEST_SUITE_P(, ReuseportChoice, testing::Values(kAny4, kAny6),
                         [](const auto& which) { return which.index == 0 ? "Ipv4" : "Ipv6"; });

struct Burst {
  std::size_t data = 0;
  std::size_t overlay = 0;
};

class OverlaySocketsTest : public testing::Test {
 protected:
  OverlaySocketsTest() { start_eal_for({}); }
  void SetUp() override { pool_.emplace(PoolSettings{.packets = 1023}); }
  void TearDown() override {
    port_.reset();
    EXPECT_EQ(pool_->available(), pool_->size());
  }
  void send(std::uint8_t kind, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i)
      send_to(sender_, port_->bound()[0], {kind, 0, 0, 0});
  }
  Burst turn() {
    rte_mbuf* burst[kBurst];
    const std::uint16_t got = port_->rx_burst(pool_->get(), burst);
    Burst counts;
    for (std::uint16_t i = 0; i < got; ++i)
      ++(bytes_of(burst[i])[0] == kData ? counts.data : counts.overlay);
    rte_pktmbuf_free_bulk(burst, got);
    return counts;
  }
  // Of what its second descriptor tells.
  bool overlay_wakes() {
    int fds[kMaxWaitFds];
    EXPECT_EQ(port_->wait_fds(fds), 3u);
    pollfd wait{.fd = fds[1], .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
  }
  std::uint64_t count(WireEvent event) const {
    return port_->events()[static_cast<std::size_t>(event)];
  }

  std::optional<Mempool> pool_;
  std::optional<UdpPort> port_{UdpSettings{.listen = {kAny4}, .trains = false}};
  const Fd sender_ = *open_udp_socket(kAny4, 1 << 20);
};

TEST_F(OverlaySocketsTest, AreReadAsFastAsTheyFillWhileNobodyElseSends) {
  send(kInitiation, 10 * OverlaySockets::kMost);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(turn().overlay, OverlaySockets::kMost) << i;
  EXPECT_EQ(turn().overlay, 0u);
}

TEST_F(OverlaySocketsTest, LeaveRoomForMembersInEachBurst) {
  send(kInitiation, kBurst);
  send(kData, kBurst);
  const Burst first = turn();
  EXPECT_EQ(first.overlay, OverlaySockets::kMost);
  EXPECT_EQ(first.data, kBurst - OverlaySockets::kMost);
}

TEST_F(OverlaySocketsTest, AreReadAtTheirRateWhileMembersSend) {
  send(kInitiation, 600);
  const Instant start = read_monotonic();
  std::size_t taken = 0;
  std::size_t reads = 0;
  while (taken < 100) {
    send(kData);
    const std::size_t got = turn().overlay;
    taken += got;
    reads += got != 0;
    const Duration since = read_monotonic() - start;
    ASSERT_LE(taken, OverlaySockets::kMost * (2 + since / OverlaySockets::kPause));
    ASSERT_LT(since, std::chrono::seconds(10)) << "they are not read at all";
  }
  EXPECT_GE(reads, 100 / OverlaySockets::kMost);
}

TEST_F(OverlaySocketsTest, DoNotWakeTheLcoreInAPause) {
  send(kInitiation, 2 * OverlaySockets::kMost);
  EXPECT_TRUE(overlay_wakes());
  bool paused = false;
  // Whoever is away for a whole pause between two of these lines tries again.
  for (int tries = 0; tries < 100 && !paused; ++tries) {
    send(kInitiation, OverlaySockets::kMost);
    send(kData);
    EXPECT_GT(turn().overlay, 0u);
    EXPECT_TRUE(port_->arm());
    if (port_->longest_sleep() == Duration::max()) continue;
    EXPECT_FALSE(overlay_wakes());
    EXPECT_LE(port_->longest_sleep(), OverlaySockets::kPause);
    paused = true;
  }
  ASSERT_TRUE(paused);
  const Instant start = read_monotonic();
  while (port_->longest_sleep() != Duration::max()) {
    ASSERT_LT(read_monotonic() - start, std::chrono::seconds(10)) << "the pause does not end";
    EXPECT_TRUE(port_->arm());
  }
  EXPECT_TRUE(overlay_wakes());
  EXPECT_GT(turn().overlay, 0u);
}

TEST_F(OverlaySocketsTest, MayBeOneQueueWithAllElse) {
  port_.emplace(UdpSettings{.listen = {kAny4}, .trains = false, .overlay_apart = false});
  int fds[kMaxWaitFds];
  EXPECT_EQ(port_->wait_fds(fds), 2u);
  send(kInitiation, 3);
  send(kData, 2);
  const Burst both = turn();
  EXPECT_EQ(both.overlay, 3u);
  EXPECT_EQ(both.data, 2u);
  EXPECT_TRUE(port_->arm());
  EXPECT_EQ(port_->longest_sleep(), Duration::max());
}

TEST_F(OverlaySocketsTest, LeaveToTheKernelWhatTheyHaveNoRoomFor) {
  constexpr std::size_t kSent = 40'000;
  send(kInitiation, kSent);
  EXPECT_EQ(count(WireEvent::kMissed), 0u);
  const std::uint64_t missed = count(WireEvent::kOverlayMissed);
  EXPECT_GT(missed, 0u);
  std::size_t taken = 0;
  for (std::size_t got = turn().overlay; got != 0; got = turn().overlay)
    taken += got;
  EXPECT_EQ(taken + missed, kSent);
  send(kData);
  std::size_t data = 0;
  for (int turns = 0; turns < 8; ++turns)  // of a socket long empty
    data += turn().data;
  EXPECT_EQ(data, 1u);
}

}  // namespace
}  // namespace ipop::engine
