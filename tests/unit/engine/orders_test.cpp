// What the overlay orders of a lcore, and the two rings between them.
#include <gtest/gtest.h>
#include <poll.h>

#include "engine/path/data_header.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

const Endpoint kSomewhere = endpoint("[2001:db8::5]:9999");

bool readable(int fd) {
  pollfd wait{.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 1;
}

TEST(Orders, SendADatagramAsItIs) {
  EnginePair pair;
  const Bytes bytes{0x81, 2, 3, 4, 5};
  EXPECT_TRUE(pair.alice.orders.send_datagram(kSomewhere, bytes));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire[0].endpoint, kSomewhere);
  EXPECT_EQ(wire[0].bytes, bytes);
}

TEST(Orders, SealForAnEndpointOtherThanThePath) {
  EnginePair pair;
  const Bytes ping{0x10, 1};
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, ping, kSomewhere));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(wire[0].endpoint, kSomewhere);
  EXPECT_EQ(wire[0].bytes.size(), kDataHeader + ping.size() + kTagSize);
}

TEST(Orders, SealWithASessionThatIsNotInUseYet) {
  EnginePair pair;
  const ReceiverIndex local = *pair.alice.table.reserve_session();
  pair.alice.table.publish_session({.peer = pair.bob_at_alice.peer,
                                    .local = local,
                                    .remote = 7,
                                    .send_until = pair.alice.now + std::chrono::seconds(1),
                                    .receive_until = pair.alice.now + std::chrono::seconds(1)});
  EXPECT_TRUE(pair.alice.orders.send_sealed(local, {}));
  pair.alice.turn();
  const auto wire = pair.alice.to_wire();
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(data_receiver(wire[0].bytes.data()), ReceiverIndex{7});
  EXPECT_EQ(pair.alice.table.activity(local).tx_packets, 1u);
  EXPECT_EQ(pair.alice.table.activity(local).last_data_tx, Instant{});
}

TEST(Orders, AreDroppedWithoutASessionOrAPath) {
  EnginePair pair;
  EXPECT_TRUE(pair.alice.orders.send_sealed(ReceiverIndex{12345}, {}));
  pair.alice.table.set_path(pair.bob_at_alice.peer, {});
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, {}));
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kDropNoSession), 1u);
  EXPECT_EQ(pair.alice.count(Fate::kDropNoPath), 1u);
  pair.advance(std::chrono::seconds(180));
  EXPECT_TRUE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, {}, kSomewhere));
  pair.alice.turn();
  EXPECT_EQ(pair.alice.count(Fate::kDropNoSession), 2u);
}

TEST(Orders, AreRefusedWhenTooLongOrTooMany) {
  EnginePair pair;
  EXPECT_FALSE(pair.alice.orders.send_datagram(kSomewhere, Bytes(1453)));
  EXPECT_TRUE(pair.alice.orders.send_datagram(kSomewhere, Bytes(1452)));
  EXPECT_FALSE(pair.alice.orders.send_sealed(pair.bob_at_alice.session, Bytes(1401)));
  std::uint32_t accepted = 1;
  while (pair.alice.orders.retry_staged())
    ++accepted;
  EXPECT_EQ(accepted, InjectRing::kOrders);
  EXPECT_EQ(pair.alice.orders.accepted(), accepted);
  EXPECT_EQ(pair.alice.orders.refused(), 3u);
  pair.alice.turn();
  EXPECT_TRUE(pair.alice.orders.retry_staged());
}

TEST(Orders, WakeASleepingLcoreOnce) {
  EngineNode node(endpoint("192.0.2.9:4545"));
  EXPECT_FALSE(readable(node.bell.fd()));
  EXPECT_TRUE(node.orders.retry_staged());
  EXPECT_FALSE(readable(node.bell.fd()));
  node.bell.prepare_sleep();
  EXPECT_TRUE(node.state().has_waiting());  // there is an order
  node.bell.end_sleep(false);
  node.turn();
  node.bell.prepare_sleep();
  ASSERT_FALSE(node.state().has_waiting());
  EXPECT_TRUE(node.orders.retry_staged());
  EXPECT_TRUE(node.orders.retry_staged());
  EXPECT_TRUE(readable(node.bell.fd()));
  node.bell.end_sleep(true);
  EXPECT_FALSE(readable(node.bell.fd()));
}

TEST(PuntRing, IsReadableWhileThereIsSomethingToDrain) {
  EngineNode node(endpoint("192.0.2.9:4545"));
  EXPECT_FALSE(readable(node.punt_ring.wake_fd()));
  for (int i = 0; i < 5; ++i)
    node.from_wire({0x80, 0, 0, 0}, kSomewhere);
  node.turn();
  const auto ignore = [](const Punt&) {};
  EXPECT_TRUE(readable(node.punt_ring.wake_fd()));
  EXPECT_EQ(node.punt_ring.drain(3, ignore), 3u);
  EXPECT_TRUE(readable(node.punt_ring.wake_fd()));
  EXPECT_EQ(node.punt_ring.drain(3, ignore), 2u);
  EXPECT_FALSE(readable(node.punt_ring.wake_fd()));
  node.from_wire({0x80, 0, 0, 0}, kSomewhere);
  node.turn();
  EXPECT_TRUE(readable(node.punt_ring.wake_fd()));
}

TEST(PuntRing, LetsDatagramsThroughHoweverManyEventsCome) {
  EngineNode node(endpoint("192.0.2.1:4545"));
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(node.punt_ring.resolve(ip("10.0.0.77")));
  for (int i = 0; i < 10; ++i)
    node.from_wire(Bytes(40, 0x81), endpoint("203.0.113.5:9999"));
  node.turn();
  std::size_t datagrams = 0;
  const auto take = [&](const Punt& punt) { datagrams += punt.kind == PuntKind::kDatagram; };
  EXPECT_EQ(node.punt_ring.drain(8, take), 8u);
  EXPECT_EQ(datagrams, 2u);
  EXPECT_EQ(node.punt_ring.drain(200, take), 102u);
  EXPECT_EQ(datagrams, 10u);
}

TEST(PuntRing, FreesAPacketWhoseTakerThrows) {
  EngineNode node(endpoint("192.0.2.9:4545"));
  node.from_wire({0x80, 0, 0, 0}, kSomewhere);
  node.turn();
  EXPECT_THROW(node.punt_ring.drain(1, [](const Punt&) { throw std::runtime_error("taker"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace ipop::engine
