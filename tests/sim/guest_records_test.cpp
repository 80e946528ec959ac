// Records that relays keep in the directory for nodes that are reached through them: found by those
// who ask, kept up to date, and not to be had for anybody else's.
#include "overlay/peer/message.hpp"
#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
namespace message = overlay::message;

constexpr std::size_t kLarge = 300;  // what only a record fills
const char* const kFirst = "192.168.10.101";

void say(Node& node, const char* to, const message::Message& what) {
  const overlay::Peer* const peer = node.overlay->peers().by_address(*IpAddress::parse(to));
  ASSERT_TRUE(peer != nullptr && peer->connected()) << to;
  node.engine.send_sealed(peer->current, message::encode(what), std::nullopt);
}

NodeOptions carol() {
  return {.name = "carol", .address = "192.168.10.30/24", .underlay = {"10.0.4.1/24"}};
}

class GuestRecords : public testing::Test {
 protected:
  GuestRecords() {
    b.directory.hears = false;  // its first words are still under way
    in.world.run_for(3s);
  }

  overlay::NodeRecord record_of(const Node& node, std::uint64_t sequence = 1) {
    const auto credential = overlay::Credential::make(
        node.identity, {*Prefix::parse(node.options.address.substr(0, 13))}, {}, "somebody", {});
    return {.credential = credential,
            .sequence = sequence,
            .expires = in.world.clock().wall + 1h,
            .relays = {},
            .candidates = {}};
  }
  // As it stands under bob's address.
  message::RecordDeposit deposit_of(const Node& node, const char* under = kBob) {
    const IpAddress address = *IpAddress::parse(under);
    const overlay::DirectoryKey at = node.network.address_key(address);
    return {address, record_of(node).seal(node.identity, node.network, at)};
  }
  // By both, and in the directory.
  [[nodiscard]] std::uint64_t kept() const {
    std::uint64_t count = 0;
    for (const Node* const relay : {&in.first, &in.second}) {
      count += relay->status().relay.records;
      const auto at = b.network.address_key(*IpAddress::parse(kBob));
      EXPECT_EQ(relay->directory.kept.contains(at), relay->status().relay.records != 0);
    }
    return count;
  }

  NatWorld in;
  Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
};

TEST_F(GuestRecords, ANodeThatNobodyHearsInTheDirectoryIsFound) {
  EXPECT_EQ(kept(), 4u);  // by two relays, under its address and its id
  Node& a = in.add(alice(), kNone, "203.0.113.1");
  in.world.run_for(1s);
  const std::uint32_t packet = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(packet); }, 600ms));
}

TEST_F(GuestRecords, AnotherRelayKeepsThemWhenOneIsGone) {
  Node& third = in.world.add(
      {.name = "third", .address = "192.168.10.103/24", .underlay = {"198.51.102.1/24"}});
  third.overlay->set_relay({.serve = overlay::RelayServe::kYes}, in.world.clock());
  in.world.kill(in.first);
  EXPECT_TRUE(in.world.run_until([&] { return third.status().relay.records == 2; }, 60s));
}

TEST_F(GuestRecords, AreSaidAgainUntilTheyAreHeard) {
  unsigned lost = 0;
  in.world.loses = [&](const Node& from, const Endpoint&, ByteView datagram) {
    return &from == &b && datagram.size() > kLarge && lost++ < 6;
  };
  b.move_behind(in.world.add_nat("203.0.115.1", By::kEndpoint, By::kEndpoint), "10.0.9.1/24");
  const auto told = [&] {
    const auto key = b.network.address_key(*IpAddress::parse(kBob));
    return in.world.stored[key].size();
  };
  const std::size_t before = told();
  EXPECT_TRUE(in.world.run_until([&] { return told() >= before + 2; }, 10s));
  EXPECT_GE(lost, 6u);
}

TEST_F(GuestRecords, EndWithTheGuestThatSaysGoodbye) {
  b.overlay->stop(in.world.clock());
  in.world.run_for(1s);
  EXPECT_EQ(kept(), 0u);
}

TEST_F(GuestRecords, EndInTheirTimeWhenTheGuestFallsSilent) {
  in.world.kill(b);
  in.world.run_for(16min);
  EXPECT_EQ(kept(), 0u);
}

TEST_F(GuestRecords, EndWhenTheRelayNoLongerServes) {
  in.first.overlay->set_relay({.serve = overlay::RelayServe::kNo}, in.world.clock());
  EXPECT_EQ(in.first.status().relay.records, 0u);
  say(b, kFirst, deposit_of(b));
  in.world.run_for(1s);
  EXPECT_EQ(in.first.status().relay.records, 0u);
}

TEST_F(GuestRecords, OfOthersAreRefused) {
  Node& c = in.add(carol(), kSymmetric, "203.0.116.1");
  in.world.run_for(3s);
  const std::uint64_t before = in.first.overlay->counters().records_refused;
  const std::uint64_t held = in.first.status().relay.records;
  const std::size_t stored = in.world.stored[c.network.address_key(*IpAddress::parse(kBob))].size();
  message::RecordDeposit damaged = deposit_of(c, "192.168.10.30");
  damaged.value.back() ^= 1;
  message::RecordDeposit elsewhere = deposit_of(c, "192.168.10.30");
  elsewhere.address = {};
  say(c, kFirst, deposit_of(b));                   // bob's, by carol
  say(c, kFirst, deposit_of(c));                   // carol's, under bob's address
  say(c, kFirst, deposit_of(c, "192.168.10.31"));  // under an address that she does not have
  say(c, kFirst, damaged);
  say(c, kFirst, elsewhere);
  in.world.run_for(1s);
  EXPECT_EQ(in.first.overlay->counters().records_refused, before + 5);
  EXPECT_EQ(in.first.status().relay.records, held);
  EXPECT_EQ(in.world.stored[c.network.address_key(*IpAddress::parse(kBob))].size(), stored);
}

TEST_F(GuestRecords, ThatAreOlderThanWhatIsKeptChangeNothing) {
  const auto key = b.network.address_key(*IpAddress::parse(kBob));
  const std::size_t before = in.world.stored[key].size();
  for (int i = 0; i < 20; ++i)
    say(b, kFirst, deposit_of(b));  // of sequence 1, which was long ago
  in.world.run_for(1s);
  EXPECT_EQ(in.world.stored[key].size(), before);
  EXPECT_EQ(in.first.status().relay.records, 2u);
}

// However often a guest says something new, the hash table gets a copy every five seconds.
TEST_F(GuestRecords, AreStoredInBoundedNumber) {
  const IpAddress address = *IpAddress::parse(kBob);
  const overlay::DirectoryKey at = b.network.address_key(address);
  const std::size_t before = in.world.stored[at].size();
  const auto now = static_cast<std::uint64_t>(in.world.clock().wall.time_since_epoch().count());
  for (unsigned i = 1; i <= 100; ++i) {
    say(b, kFirst,
        message::RecordDeposit{address, record_of(b, now + i).seal(b.identity, b.network, at)});
    in.world.run_for(100ms);
  }
  in.world.run_for(6s);
  EXPECT_GE(in.world.stored[at].size(), before + 3);
  EXPECT_LE(in.world.stored[at].size(), before + 4);
  const auto last = overlay::NodeRecord::open(in.world.stored[at].back().second, b.network, at,
                                              in.world.clock().wall);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->sequence, now + 100);
}

TEST_F(GuestRecords, AreOpenedInBoundedNumber) {
  const std::uint64_t refused = in.first.overlay->counters().records_refused;
  for (int i = 0; i < 190; ++i)
    say(b, kFirst, message::RecordDeposit{*IpAddress::parse(kBob), {1, 2, 3}});
  in.world.run_for(100ms);
  EXPECT_LE(in.first.overlay->counters().records_refused - refused,
            overlay::GuestRecords::kOpenedOfOne);
  EXPECT_GE(in.first.overlay->counters().control_limited, 160u);
  EXPECT_EQ(kept(), 4u);
}

}  // namespace
}  // namespace ipop::sim
