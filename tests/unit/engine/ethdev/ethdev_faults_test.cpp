// What is used up, on the engine's way through a DPDK port: buffers, and room in the queue. Every
// packet has a fate by name, the sums balance, and all goes on when there is enough again.
#include "engine/path/packet.hpp"
#include "engine_link.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;

class EthdevFaults : public testing::EngineLink {
 protected:
  // One packet goes all the way, and comes back.
  void must_go_on() {
    (void)left();
    const std::uint64_t sent = fate(Fate::kSent);
    const std::uint64_t delivered = fate(Fate::kDelivered);
    (void)packet_of_host(100);
    turn();
    EXPECT_EQ(fate(Fate::kSent), sent + 1);
    const auto frames = frames_left();
    ASSERT_EQ(frames.size(), 1u);
    send_back(frames[0]);
    turn();
    EXPECT_EQ(fate(Fate::kDelivered), delivered + 1);
    expect_balance();
  }
};

TEST_F(EthdevFaults, AFullQueueDropsByName) {
  start(15);
  for (int i = 0; i < kBurst; ++i)
    (void)packet_of_host(100);
  turn();
  EXPECT_EQ(fate(Fate::kSent), 15u);
  EXPECT_EQ(fate(Fate::kDropWireFull), kBurst - 15u);
  EXPECT_EQ(count(WireEvent::kQueueFull), kBurst - 15u);
  expect_balance();
  must_go_on();
}

TEST_F(EthdevFaults, AFullQueueDropsSegmentsOfASuperPacketByName) {
  start(15);
  (void)super_of_host(40 * 1000, 1000);
  turn();
  EXPECT_EQ(fate(Fate::kSent), 15u);
  EXPECT_EQ(fate(Fate::kDropWireFull), 25u);
  EXPECT_EQ(count(WireEvent::kQueueFull), 25u);
  EXPECT_EQ(supers->available(), supers->size());
  expect_balance();
  must_go_on();
}

TEST_F(EthdevFaults, AnEmptyPoolDropsTheSegmentsOfASuperPacketByName) {
  start();
  (void)super_of_host(40 * 1000, 1000);
  exhaust();
  turn();
  EXPECT_EQ(fate(Fate::kDropWireFull), 40u);
  EXPECT_EQ(supers->available(), supers->size());
  expect_balance();
  relieve();
  must_go_on();
}

// A packet has a buffer of its own, in which it is sealed and opened.
TEST_F(EthdevFaults, AnEmptyPoolDoesNotStopPackets) {
  start();
  (void)packet_of_host(100);
  exhaust();
  turn();
  EXPECT_EQ(fate(Fate::kSent), 1u);
  const auto frames = frames_left();
  ASSERT_EQ(frames.size(), 1u);
  send_back(frames[0]);
  turn();
  EXPECT_EQ(fate(Fate::kDelivered), 1u);
  expect_balance();
}

TEST_F(EthdevFaults, AnEmptyPoolDropsWhatIsForTheOverlayByName) {
  start();
  Bytes initiation(148);
  initiation[0] = 1;
  arrive(testing::framed(
      testing::kOurMac, testing::kTheirMac, 0x0800,
      testing::summed(testing::Ipv4{.payload = testing::udp(1111, kOurPort, initiation)}.bytes())));
  exhaust();
  turn();
  EXPECT_EQ(fate(Fate::kDropPuntFull), 1u);
  EXPECT_EQ(fate(Fate::kPunted), 0u);
  expect_balance();
  relieve();
  must_go_on();
}

TEST_F(EthdevFaults, AnEmptyPoolRefusesOrdersOfTheOverlay) {
  start();
  exhaust();
  EXPECT_FALSE(orders->send_datagram({testing::ip(kPeer), kOurPort}, Bytes{1, 0, 0, 0}));
  EXPECT_FALSE(orders->send_sealed(session, Bytes{}));
  EXPECT_EQ(orders->refused(), 2u);
  turn();
  expect_balance();
  relieve();
  EXPECT_TRUE(orders->send_datagram({testing::ip(kPeer), kOurPort}, Bytes{1, 0, 0, 0}));
  turn();
  EXPECT_EQ(fate(Fate::kSent), 1u);
  must_go_on();
}

}  // namespace
}  // namespace ipop::engine
