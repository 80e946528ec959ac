// Host packets without a route or a session: they wait in order, the overlay is asked, and in the
// end they are sent, refused or dropped.
#include <gtest/gtest.h>

#include "engine/path/staging.hpp"
#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Waiting : public testing::Test {
 protected:
  Bytes to(const IpAddress& destination, std::uint8_t mark = 0) {
    return frame_of(ip_packet(pair.alice4, destination, 40, mark));
  }

  EnginePair pair;
  EngineNode& alice = pair.alice;
  const IpAddress stranger = ip("10.0.0.77");
};

TEST_F(Waiting, AsksOnceForADestinationWithoutARoute) {
  for (int i = 0; i < 5; ++i)
    alice.from_host(to(stranger));
  alice.turn();
  const auto punts = alice.punts();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kResolve);
  EXPECT_EQ(punts[0].punt.address, stranger);
  EXPECT_EQ(alice.counters().staged, 5u);
}

TEST_F(Waiting, AsksAgainAfterAQuarterOfASecondAndNotBefore) {
  alice.from_host(to(stranger));
  alice.turn();
  EXPECT_EQ(alice.punts().size(), 1u);
  alice.now += milliseconds(249);
  alice.from_host(to(stranger));
  alice.turn();
  alice.state().tick(alice.now);
  EXPECT_EQ(alice.punts().size(), 0u);
  alice.now += milliseconds(1);
  alice.state().tick(alice.now);
  EXPECT_EQ(alice.punts().size(), 1u);
}

TEST_F(Waiting, AsksForASessionWhenThereIsARoute) {
  const PeerIndex peer = *alice.table.add_peer();
  ASSERT_TRUE(alice.table.add_route(Prefix::host(stranger), peer));
  alice.from_host(to(stranger));
  alice.turn();
  const auto punts = alice.punts();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kNeedSession);
  EXPECT_EQ(punts[0].punt.peer, peer);
  EXPECT_EQ(punts[0].punt.address, stranger);
}

TEST_F(Waiting, AsksForASessionWhenThereIsNoPath) {
  alice.table.set_path(pair.bob_at_alice.peer, {});
  alice.from_host(to(pair.bob4));
  alice.turn();
  EXPECT_EQ(alice.punts(PuntKind::kNeedSession).size(), 1u);
}

TEST_F(Waiting, SendsWhatWaitedInOrderOnRetry) {
  for (std::uint8_t i = 0; i < 40; ++i)
    alice.from_host(to(stranger, i));
  alice.turn();
  ASSERT_TRUE(alice.table.add_route(Prefix::host(stranger), pair.bob_at_alice.peer));
  EXPECT_TRUE(alice.orders.retry_staged());
  pair.exchange();
  const auto frames = pair.bob.to_host();
  ASSERT_EQ(frames.size(), 40u);
  for (std::uint8_t i = 0; i < 40; ++i)
    EXPECT_EQ(mark_of(packet_of(frames[i])), i);
  EXPECT_EQ(alice.counters().staged, 0u);
  EXPECT_EQ(alice.count(Fate::kConsumed), 1u);
}

TEST_F(Waiting, IsNotOvertakenByAPacketThatComesBeforeTheRetry) {
  alice.from_host(to(stranger, 1));
  alice.from_host(to(stranger, 2));
  alice.turn();
  ASSERT_TRUE(alice.table.add_route(Prefix::host(stranger), pair.bob_at_alice.peer));
  alice.from_host(to(stranger, 3));
  pair.exchange();
  const auto frames = pair.bob.to_host();
  ASSERT_EQ(frames.size(), 3u);
  for (std::uint8_t i = 0; i < 3; ++i)
    EXPECT_EQ(mark_of(packet_of(frames[i])), i + 1);
}

TEST_F(Waiting, LeavesOtherDestinationsWaitingOnRetry) {
  alice.from_host(to(stranger));
  alice.from_host(to(ip("10.0.0.78")));
  alice.turn();
  ASSERT_TRUE(alice.table.add_route(Prefix::host(stranger), pair.bob_at_alice.peer));
  EXPECT_TRUE(alice.orders.retry_staged());
  alice.turn();
  EXPECT_EQ(alice.to_wire().size(), 1u);
  EXPECT_EQ(alice.counters().staged, 1u);
}

TEST_F(Waiting, IsToldByIcmpWhenRejected) {
  alice.from_host(to(stranger));
  alice.turn();
  EXPECT_TRUE(alice.orders.reject_staged(stranger, RejectReason::kHostUnreachable));
  alice.turn();
  const auto frames = alice.to_host();
  ASSERT_EQ(frames.size(), 1u);
  const Bytes icmp = packet_of(frames[0]);
  EXPECT_EQ(IpAddress::v4_at(&icmp[12]), stranger);
  EXPECT_EQ(IpAddress::v4_at(&icmp[16]), pair.alice4);
  EXPECT_EQ(icmp[9], 1);
  EXPECT_EQ(icmp[20], 3);
  EXPECT_EQ(icmp[21], 1);
  EXPECT_EQ(alice.count(Fate::kDropUnreachable), 1u);
  EXPECT_EQ(alice.counters().generated, 1u);
}

TEST_F(Waiting, IsToldByIcmpv6WhenRejected) {
  const IpAddress six = ip("fd00::77");
  alice.from_host(frame_of(ip_packet(pair.alice6, six)));
  alice.turn();
  EXPECT_TRUE(alice.orders.reject_staged(six, RejectReason::kProhibited));
  alice.turn();
  const auto frames = alice.to_host();
  ASSERT_EQ(frames.size(), 1u);
  const Bytes icmp = packet_of(frames[0]);
  EXPECT_EQ(frames[0][12], 0x86);
  EXPECT_EQ(icmp[6], 58);
  EXPECT_EQ(icmp[40], 1);
  EXPECT_EQ(icmp[41], 1);
}

TEST_F(Waiting, AnswersAtABoundedRate) {
  std::size_t answers = 0;
  for (std::uint32_t i = 0; i < 3 * HostAnswers::kMostInARow; ++i) {
    const IpAddress nobody = IpAddress::v4(0x0a010000 + i);
    alice.from_host(to(nobody));
    alice.turn();
    EXPECT_TRUE(alice.orders.reject_staged(nobody, RejectReason::kHostUnreachable));
    alice.turn();
    answers += alice.to_host().size();
    (void)alice.punts();
  }
  EXPECT_EQ(answers, HostAnswers::kMostInARow);
  EXPECT_EQ(alice.count(Fate::kDropUnreachable), 3u * HostAnswers::kMostInARow);
}

TEST_F(Waiting, IsDroppedAfterFiveSeconds) {
  alice.from_host(to(stranger));
  alice.turn();
  alice.now += seconds(4);
  alice.from_host(to(stranger));
  alice.turn();
  alice.now += seconds(1);
  alice.state().tick(alice.now);
  EXPECT_EQ(alice.count(Fate::kDropStagingExpired), 1u);
  EXPECT_EQ(alice.counters().staged, 1u);
}

TEST_F(Waiting, TakesOnlySoManyForOneDestination) {
  for (std::size_t i = 0; i < Staging::kMaxPerDestination + 3u; ++i)
    alice.from_host(to(stranger));
  alice.turn();
  EXPECT_EQ(alice.counters().staged, Staging::kMaxPerDestination);
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 3u);
}

TEST_F(Waiting, TakesOnlySoManyDestinations) {
  for (std::uint32_t i = 0; i < Staging::kMaxDestinations + 3u; ++i) {
    alice.from_host(to(IpAddress::v4(0x0a010000 + i)));
  }
  alice.turn();
  EXPECT_EQ(alice.counters().staged, Staging::kMaxDestinations);
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 3u);
}

TEST_F(Waiting, TakesOnlySoManyInAll) {
  for (std::uint32_t i = 0; i < Staging::kMaxPackets + 3u; ++i) {
    alice.from_host(to(IpAddress::v4(0x0a010000 + i / 32)));
  }
  alice.turn();
  EXPECT_EQ(alice.counters().staged, Staging::kMaxPackets);
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 3u);
  // All places are usable again.
  alice.now += seconds(5);
  alice.state().tick(alice.now);
  EXPECT_EQ(alice.counters().staged, 0u);
  for (std::uint32_t i = 0; i < Staging::kMaxPackets; ++i) {
    alice.from_host(to(IpAddress::v4(0x0a020000 + i / 32)));
  }
  alice.turn();
  EXPECT_EQ(alice.counters().staged, Staging::kMaxPackets);
}

TEST_F(Waiting, StillAsksForNewDestinationsWhenThereIsNoRoomToWait) {
  const PeerIndex peer = *alice.table.add_peer();
  ASSERT_TRUE(alice.table.add_route(Prefix::host(stranger), peer));
  for (std::uint32_t i = 0; i < Staging::kMaxDestinations; ++i) {
    alice.from_host(to(IpAddress::v4(0x0a010000 + i)));
  }
  alice.turn();
  EXPECT_EQ(alice.punts().size(), Staging::kMaxDestinations);

  const IpAddress unknown = ip("10.2.0.1");
  for (int i = 0; i < 5; ++i)
    alice.from_host(to(unknown));
  alice.turn();
  auto punts = alice.punts();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kResolve);
  EXPECT_EQ(punts[0].punt.address, unknown);

  alice.now += milliseconds(1);
  for (int i = 0; i < 5; ++i)
    alice.from_host(to(stranger));
  alice.turn();
  punts = alice.punts();
  ASSERT_EQ(punts.size(), 1u);
  EXPECT_EQ(punts[0].punt.kind, PuntKind::kNeedSession);
  EXPECT_EQ(punts[0].punt.peer, peer);
  EXPECT_EQ(punts[0].punt.address, stranger);
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 10u);
}

TEST_F(Waiting, DoesNotAskMoreOftenForADestinationWhoseOwnQueueIsFull) {
  for (std::size_t i = 0; i < Staging::kMaxPerDestination; ++i)
    alice.from_host(to(stranger));
  alice.turn();
  EXPECT_EQ(alice.punts().size(), 1u);
  alice.now += milliseconds(2);
  alice.from_host(to(stranger));
  alice.turn();
  EXPECT_EQ(alice.count(Fate::kDropStagingFull), 1u);
  EXPECT_EQ(alice.punts().size(), 0u);
}

TEST_F(Waiting, IsSentWhenASpentSessionIsReplaced) {
  pair.advance(seconds(180));
  alice.from_host(to(pair.bob4, 9));
  alice.turn();
  EXPECT_EQ(alice.counters().staged, 1u);
  pair.renew({});
  EXPECT_TRUE(alice.orders.retry_staged());
  pair.exchange();
  ASSERT_EQ(pair.bob.to_host().size(), 1u);
}

}  // namespace
}  // namespace ipop::engine
