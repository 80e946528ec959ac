// What a session remembers of the packet before, whose source it found to be the peer's: it must
// hold for no other source, no other path, and not a moment longer than the peer's view does.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_node.hpp"

namespace ipop::engine {
namespace {

constexpr auto kLongEnough = std::chrono::milliseconds(200);  // for another kPathChanged

// What bob made of one packet that alice sent from `source`, when it came from `path`.
struct Outcome {
  std::uint64_t delivered = 0;
  std::uint64_t refused = 0;
  std::size_t told = 0;  // of another path

  friend bool operator==(const Outcome&, const Outcome&) = default;
};
constexpr Outcome kDelivered{.delivered = 1};
constexpr Outcome kRefused{.refused = 1};
constexpr Outcome kDeliveredByANewPath{.delivered = 1, .told = 1};

class AdmittedSource : public testing::Test {
 protected:
  EnginePair pair;

  Outcome send(const IpAddress& source, const Endpoint& path) {
    pair.alice.from_host(frame_of(ip_packet(source, source.is_v4() ? pair.bob4 : pair.bob6)));
    pair.alice.turn();
    const Outcome before = now();
    for (const Datagram& datagram : pair.alice.to_wire())
      pair.bob.from_wire(datagram.bytes, path);
    pair.bob.turn();
    const Outcome after = now();
    return {.delivered = after.delivered - before.delivered,
            .refused = after.refused - before.refused,
            .told = pair.bob.punts(PuntKind::kPathChanged).size()};
  }
  Outcome send(const IpAddress& source) { return send(source, pair.alice.at); }

 private:
  Outcome now() const {
    return {.delivered = pair.bob.count(Fate::kDelivered),
            .refused = pair.bob.count(Fate::kDropSourceNotAllowed)};
  }
};

TEST_F(AdmittedSource, IsAskedForEachSourceHoweverTheyTakeTurns) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(send(pair.alice4), kDelivered);
    EXPECT_EQ(send(pair.alice4), kDelivered);
    EXPECT_EQ(send(ip("10.0.0.99")), kRefused);
    EXPECT_EQ(send(pair.alice6), kDelivered);
    EXPECT_EQ(send(ip("fd00::99")), kRefused);
    EXPECT_EQ(send(pair.bob4), kRefused);
  }
}

TEST_F(AdmittedSource, EndsWithTheRoute) {
  EXPECT_EQ(send(pair.alice4), kDelivered);
  pair.bob.table.remove_route(Prefix::host(pair.alice4), pair.alice_at_bob.peer);
  EXPECT_EQ(send(pair.alice4), kRefused);
  EXPECT_EQ(send(pair.alice6), kDelivered);
  ASSERT_TRUE(pair.bob.table.add_route(Prefix::host(pair.alice4), pair.alice_at_bob.peer));
  EXPECT_EQ(send(pair.alice4), kDelivered);
}

TEST_F(AdmittedSource, EndsWithASubnetsRoute) {
  const Prefix subnet = prefix("172.16.0.0/16");
  ASSERT_TRUE(pair.bob.table.add_route(subnet, pair.alice_at_bob.peer));
  EXPECT_EQ(send(ip("172.16.3.4")), kDelivered);
  EXPECT_EQ(send(ip("172.16.3.4")), kDelivered);
  pair.bob.table.remove_route(subnet, pair.alice_at_bob.peer);
  EXPECT_EQ(send(ip("172.16.3.4")), kRefused);
}

// An address in another peer's longer prefix is that peer's.
TEST_F(AdmittedSource, EndsWhenALongerRouteLeadsElsewhere) {
  ASSERT_TRUE(pair.bob.table.add_route(prefix("172.16.0.0/16"), pair.alice_at_bob.peer));
  EXPECT_EQ(send(ip("172.16.3.4")), kDelivered);
  const auto other = pair.bob.table.add_peer();
  ASSERT_TRUE(other);
  ASSERT_TRUE(pair.bob.table.add_route(Prefix::host(ip("172.16.3.4")), *other));
  EXPECT_EQ(send(ip("172.16.3.4")), kRefused);
  EXPECT_EQ(send(ip("172.16.3.5")), kDelivered);
}

TEST_F(AdmittedSource, HoldsForOnePathAlone) {
  const Endpoint elsewhere = endpoint("203.0.113.7:9");
  EXPECT_EQ(send(pair.alice4), kDelivered);
  EXPECT_EQ(send(pair.alice4, elsewhere), kDeliveredByANewPath);
  pair.advance(kLongEnough);
  EXPECT_EQ(send(pair.alice4, elsewhere), kDeliveredByANewPath);
  EXPECT_EQ(send(pair.alice4), kDelivered);

  pair.bob.table.set_path(pair.alice_at_bob.peer, {elsewhere, 1420});
  pair.advance(kLongEnough);
  EXPECT_EQ(send(pair.alice4, elsewhere), kDelivered);
  EXPECT_EQ(send(pair.alice4), kDeliveredByANewPath) << "the path that was is another one now";
}

TEST_F(AdmittedSource, IsNotTheNextSessions) {
  EXPECT_EQ(send(pair.alice4), kDelivered);
  pair.renew({});
  pair.bob.table.remove_route(Prefix::host(pair.alice4), pair.alice_at_bob.peer);
  EXPECT_EQ(send(pair.alice4), kRefused);
}

// A turn may meet sessions of a peer that is on its way out.
TEST_F(AdmittedSource, EndsWithThePeer) {
  EXPECT_EQ(send(pair.alice4), kDelivered);
  pair.bob.table.remove_peer(pair.alice_at_bob.peer);
  EXPECT_EQ(send(pair.alice4), Outcome{});
}

TEST(PeerViewVersion, ChangesWithEachViewAndIsNeverNone) {
  PeerViews views(4);
  const PeerView first;
  const PeerView second;
  const PeerIndex peer{2};
  EXPECT_EQ(views.version(peer), 0u);
  EXPECT_EQ(views.replace(peer, &first), nullptr);
  const std::uint32_t before = views.version(peer);
  EXPECT_NE(before, 0u);
  EXPECT_EQ(views.replace(peer, &second), &first);
  const std::uint32_t after = views.version(peer);
  EXPECT_NE(after, before);
  EXPECT_EQ(views.replace(peer, nullptr), &second);
  EXPECT_NE(views.version(peer), after) << "also when the peer goes away";
  EXPECT_EQ(views.version(PeerIndex{3}), 0u);
  EXPECT_EQ(views.version(kNoPeer), 0u);
}

}  // namespace
}  // namespace ipop::engine
