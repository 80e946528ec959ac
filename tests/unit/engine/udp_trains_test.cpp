// Trains of datagrams on loopback: to and from plain sockets, other ports, and kernels that want
// none.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>
#include <random>

#include "engine/engine.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_port.hpp"
#include "engine/port/udp_socket.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

const Endpoint kAny4 = endpoint("127.0.0.1:0");
const Endpoint kAny6 = endpoint("[::1]:0");

// With one queue for datagrams of any content, so that they come in their order.
UdpSettings settings_at(const Endpoint& at, bool trains = true) {
  return {.listen = {at}, .trains = trains, .overlay_apart = false};
}

// Datagrams as they came, and in how many buffers.
struct Received {
  std::vector<Bytes> datagrams;
  std::size_t buffers = 0;
};

class UdpTrains : public testing::Test {
 protected:
  UdpTrains() { start_eal_for({}); }
  void SetUp() override {
    small_.emplace(PoolSettings{.packets = 1023});
    large_.emplace(PoolSettings{.packets = 127, .largest_packet = kSuperPool.largest_packet});
  }
  void TearDown() override {
    EXPECT_EQ(small_->available(), small_->size());
    EXPECT_EQ(large_->available(), large_->size());
  }

  // Datagrams one behind another: of `each` bytes, the last perhaps shorter. One is no train.
  rte_mbuf* train(const Endpoint& to, const Bytes& bytes, std::size_t each) {
    rte_mbuf* const made = rte_pktmbuf_alloc(bytes.size() > 2000 ? large_->get() : small_->get());
    std::copy(bytes.begin(), bytes.end(), data_of(made));
    set_length(made, static_cast<std::uint32_t>(bytes.size()));
    if (each < bytes.size()) made->tso_segsz = static_cast<std::uint16_t>(each);
    meta(made).endpoint = to;
    return made;
  }
  rte_mbuf* datagram(const Endpoint& to, std::size_t size, std::uint8_t mark) {
    return train(to, Bytes(size, mark), size);
  }

  // Until `count` datagrams are there, or for two seconds.
  Received receive(UdpPort& port, std::size_t count) {
    int fds[kMaxWaitFds];
    port.wait_fds(fds);
    Received all;
    while (all.datagrams.size() < count) {
      pollfd wait{.fd = fds[0], .events = POLLIN};
      if (poll(&wait, 1, 2000) != 1) break;
      rte_mbuf* burst[kBurst];
      const std::uint16_t got = port.rx_burst({small_->get(), large_->get()}, burst);
      for (std::uint16_t i = 0; i < got; ++i) {
        const MutableBytes bytes = bytes_of(burst[i]);
        const std::size_t each = burst[i]->tso_segsz == 0 ? bytes.size() : burst[i]->tso_segsz;
        for (std::size_t at = 0; at == 0 || at < bytes.size();
             at += std::max<std::size_t>(each, 1)) {
          const auto part = bytes.subspan(at, std::min(each, bytes.size() - at));
          all.datagrams.emplace_back(part.begin(), part.end());
        }
        ++all.buffers;
        rte_pktmbuf_free(burst[i]);
      }
    }
    return all;
  }
  // The same of a socket that knows nothing of trains.
  std::vector<Bytes> receive(const Fd& socket, std::size_t count) {
    std::vector<Bytes> all;
    while (all.size() < count) {
      pollfd wait{.fd = socket.get(), .events = POLLIN};
      if (poll(&wait, 1, 2000) != 1) break;
      Bytes bytes(65536);
      const ssize_t got = recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      all.push_back(std::move(bytes));
    }
    return all;
  }

  void send(UdpPort& port, std::vector<rte_mbuf*> burst) { port.tx_burst(burst, sent, refused); }

  std::optional<Mempool> small_;
  std::optional<Mempool> large_;
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
};

// `count` datagrams of `each` bytes, and one of `last` if that is not 0; numbered.
struct Numbered {
  Bytes bytes;
  std::vector<Bytes> parts;
};
Numbered numbered(std::size_t count, std::size_t each, std::size_t last = 0) {
  Numbered made;
  for (std::size_t i = 0; i < count + (last != 0); ++i) {
    made.parts.emplace_back(i < count ? each : last, static_cast<std::uint8_t>(i));
    made.bytes.insert(made.bytes.end(), made.parts[i].begin(), made.parts[i].end());
  }
  return made;
}

bool has_trains(const UdpPort& port) {
  int fds[kMaxWaitFds];
  port.wait_fds(fds);
  const int none = 0;
  return setsockopt(fds[0], IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none) == 0;
}

TEST_F(UdpTrains, ReachAPlainSocketAsDatagrams) {
  for (const Endpoint& at : {kAny4, kAny6}) {
    std::optional<Fd> socket;
    try {
      socket = open_udp_socket(at, 1 << 20);
    } catch (const std::runtime_error&) {
    }
    if (!socket) continue;  // no IPv6 on this machine
    UdpPort alice(settings_at(at));
    const Endpoint to{at.address, local_port(*socket)};
    for (const auto& [count, each, last] : {std::tuple{10u, 100u, 0u},
                                            {9u, 1000u, 1u},
                                            {64u, 1u, 0u},
                                            {45u, 1452u, 0u},
                                            {63u, 1032u, 448u}}) {
      const Numbered train_of = numbered(count, each, last);
      send(alice, {train(to, train_of.bytes, each)});
      EXPECT_EQ(sent, train_of.parts.size());
      EXPECT_EQ(refused, 0u);
      EXPECT_TRUE(receive(*socket, train_of.parts.size()) == train_of.parts) << count;
    }
  }
}

TEST_F(UdpTrains, AreMadeOfDatagramsOfOneSize) {
  UdpPort alice(settings_at(kAny4));
  UdpPort bob(settings_at(kAny4));
  if (!has_trains(alice)) GTEST_SKIP() << "no UDP_SEGMENT in this kernel";
  std::vector<rte_mbuf*> burst;
  std::vector<Bytes> expected;
  for (std::uint8_t i = 0; i < kBurst; ++i) {
    burst.push_back(datagram(bob.bound()[0], 500, i));
    expected.emplace_back(500, i);
  }
  send(alice, burst);
  EXPECT_EQ(sent, kBurst);
  const Received got = receive(bob, kBurst);
  EXPECT_TRUE(got.datagrams == expected);
  EXPECT_EQ(got.buffers, 1u);
}

TEST_F(UdpTrains, ArriveWhole) {
  UdpPort alice(settings_at(kAny4));
  UdpPort bob(settings_at(kAny4));
  if (!has_trains(alice)) GTEST_SKIP() << "no UDP_SEGMENT in this kernel";
  const Numbered whole = numbered(44, 1452, 77);
  send(alice, {train(bob.bound()[0], whole.bytes, 1452)});
  EXPECT_EQ(sent, 45u);
  const Received got = receive(bob, 45);
  EXPECT_TRUE(got.datagrams == whole.parts);
  EXPECT_EQ(got.buffers, 1u);
}

// Any mix of sizes, trains and destinations, to ports with and without trains.
TEST_F(UdpTrains, KeepTheOrderOfEachDestination) {
  std::mt19937_64 random(20'26);
  for (const bool sends : {true, false}) {
    UdpPort alice(settings_at(kAny4, sends));
    UdpPort bob(settings_at(kAny4));
    UdpPort carol(settings_at(kAny4, false));
    UdpPort* const ports[] = {&bob, &carol};
    for (int round = 0; round < 40; ++round) {
      std::vector<Bytes> expected[2];
      std::vector<rte_mbuf*> burst;
      const std::size_t buffers = 1 + random() % kBurst;
      std::size_t to = 0;
      std::size_t each = 100;
      for (std::size_t i = 0; i < buffers; ++i) {
        if (random() % 5 == 0) to = random() % 2;
        if (random() % 4 == 0) each = 1 + random() % 1400;
        const Numbered made = random() % 3 == 0 ? numbered(1 + random() % 8, each, random() % each)
                                                : numbered(1, each);
        burst.push_back(train(ports[to]->bound()[0], made.bytes, each));
        expected[to].insert(expected[to].end(), made.parts.begin(), made.parts.end());
      }
      send(alice, burst);
      EXPECT_EQ(sent, expected[0].size() + expected[1].size());
      EXPECT_EQ(refused, 0u);
      for (const std::size_t at : {0u, 1u}) {
        const Received got = receive(*ports[at], expected[at].size());
        ASSERT_TRUE(got.datagrams == expected[at]) << "round " << round;
        if (at == 1 || !sends) {
          ASSERT_EQ(got.buffers, expected[at].size()) << "round " << round;
        }
      }
    }
  }
}

TEST_F(UdpTrains, GoSinglyWhereTheKernelRefusesThem) {
  UdpPort alice(settings_at(kAny4));
  UdpPort bob(settings_at(kAny4));
  // Without a checksum of its own the kernel cuts no trains.
  int fds[kMaxWaitFds];
  alice.wait_fds(fds);
  const int on = 1;
  ASSERT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  const Numbered long_one = numbered(20, 1000, 5);
  const Numbered behind = numbered(3, 200);
  const Endpoint to = bob.bound()[0];
  send(alice, {datagram(to, 50, 9), train(to, long_one.bytes, 1000), datagram(to, 700, 8),
               datagram(to, 700, 7), train(to, behind.bytes, 200)});
  std::vector<Bytes> expected{Bytes(50, 9)};
  expected.insert(expected.end(), long_one.parts.begin(), long_one.parts.end());
  expected.emplace_back(700, 8);
  expected.emplace_back(700, 7);
  expected.insert(expected.end(), behind.parts.begin(), behind.parts.end());
  EXPECT_EQ(sent, expected.size());
  EXPECT_EQ(refused, 0u);
  const Received got = receive(bob, expected.size());
  EXPECT_TRUE(got.datagrams == expected);
  EXPECT_EQ(got.buffers, expected.size());
}

TEST_F(UdpTrains, AreCountedByTheirDatagramsWhenTheyCannotGo) {
  UdpPort alice(settings_at(kAny4));
  UdpPort bob(settings_at(kAny4));
  const Numbered made = numbered(7, 100, 3);
  send(alice, {train(endpoint("255.255.255.255:9"), made.bytes, 100),  // refused by the kernel
               train(bob.bound()[0], made.bytes, 100),
               train(endpoint("[::1]:9"), made.bytes, 100)});  // no such family here
  EXPECT_EQ(sent, 8u);
  EXPECT_EQ(refused, 16u);
  EXPECT_TRUE(receive(bob, 8).datagrams == made.parts);
}

TEST_F(UdpTrains, DoNotSwallowAnEmptyDatagram) {
  UdpPort alice(settings_at(kAny4));
  const Fd socket = *open_udp_socket(kAny4, 1 << 20);
  const Endpoint to{kAny4.address, local_port(socket)};
  send(alice, {datagram(to, 10, 1), datagram(to, 0, 0), datagram(to, 10, 2), datagram(to, 0, 0)});
  EXPECT_EQ(sent, 4u);
  EXPECT_TRUE(receive(socket, 4) == (std::vector<Bytes>{Bytes(10, 1), {}, Bytes(10, 2), {}}));
}

TEST_F(UdpTrains, StayWithinWhatAKernelTakes) {
  std::vector<rte_mbuf*> burst;
  const Endpoint to = endpoint("127.0.0.1:9");
  const Numbered half = numbered(30, 10);
  for (int i = 0; i < 5; ++i)
    burst.push_back(train(to, half.bytes, 10));
  for (int i = 0; i < 10; ++i)
    burst.push_back(datagram(to, 9000, 1));
  MessageBatch batch;
  std::vector<std::size_t> taken;
  for (std::size_t next = 0; next < burst.size(); next += taken.back())
    taken.push_back(batch.add(std::span<rte_mbuf* const>(burst).subspan(next), true));
  EXPECT_EQ(taken, (std::vector<std::size_t>{2, 2, 1, 7, 3}));
  ASSERT_EQ(batch.size(), taken.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const msghdr& header = batch.from(i)->msg_hdr;
    std::size_t bytes = 0;
    for (std::size_t part = 0; part < header.msg_iovlen; ++part)
      bytes += header.msg_iov[part].iov_len;
    EXPECT_LE(bytes, 65507u);
    EXPECT_LE(batch.datagrams(i), 64u);
    EXPECT_EQ(batch.datagrams(i), (bytes + batch.segment_size(i) - 1) / batch.segment_size(i));
    EXPECT_TRUE(batch.is_train(i));
  }
  rte_pktmbuf_free_bulk(burst.data(), static_cast<unsigned>(burst.size()));
}

}  // namespace
}  // namespace ipop::engine
