// Members of the network that do not keep to the rules of relaying: what they can cost others.
#include "overlay/peer/message.hpp"
#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;
namespace message = overlay::message;

const char* const kFirst = "192.168.10.101";

// Says something over the session that it has with whoever holds the address.
void say(Node& liar, const char* to, const message::Message& what) {
  const overlay::Peer* const peer = liar.overlay->peers().by_address(*IpAddress::parse(to));
  ASSERT_TRUE(peer != nullptr && peer->connected()) << to;
  liar.engine.send_sealed(peer->current, message::encode(what), std::nullopt);
}

class RelayLies : public testing::Test {
 protected:
  RelayLies() { in.world.run_for(3s); }

  NatWorld in;
  Node& a = in.add(alice(), kSymmetric, "203.0.113.1");
  Node& b = in.add(bob(), kSymmetric, "203.0.114.1");
};

TEST_F(RelayLies, NobodyAsksInAnothersName) {
  const auto before = in.first.overlay->counters().relay_refused;
  for (std::uint32_t i = 1; i <= 10; ++i)
    say(a, kFirst,
        message::RelayOpen{i, in.second.identity.node_id(), b.identity.node_id(), {}, {}});
  in.world.run_for(500ms);
  EXPECT_EQ(in.first.overlay->counters().relay_refused, before + 10);
  EXPECT_EQ(in.first.engine.labels(), 0u);
  EXPECT_EQ(b.engine.labels(), 0u);
}

TEST_F(RelayLies, CircuitsOfOnePeerAreBoundedAndEnd) {
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    say(a, kFirst, message::RelayOpen{i, a.identity.node_id(), b.identity.node_id(), {}, {}});
    if (i % 150 == 0) in.world.run_for(1s);
  }
  in.world.run_for(1s);
  EXPECT_LE(in.first.engine.labels(), 2 * overlay::RelayService::kMaxPerPeer);
  EXPECT_GT(in.first.overlay->counters().relay_refused, 0u);
  // However many are said to lead from one node, the end keeps a few.
  EXPECT_LE(b.engine.labels(), overlay::Circuits::kMostTo);
  const std::uint32_t packet = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(packet); }, 1s));
  in.world.run_for(10min);
  EXPECT_EQ(in.first.engine.labels(), 0u);
  EXPECT_EQ(b.engine.labels(), 0u);
}

TEST_F(RelayLies, OpensToNobodyAndInCirclesLeadNowhere) {
  overlay::NodeId nobody;
  nobody.bytes[3] = 7;
  const overlay::NodeId self = in.first.identity.node_id();
  say(a, kFirst, message::RelayOpen{1, a.identity.node_id(), nobody, {}, {}});
  say(a, kFirst, message::RelayOpen{2, a.identity.node_id(), a.identity.node_id(), {}, {}});
  say(a, kFirst, message::RelayOpen{3, a.identity.node_id(), nobody, {self, self}, {}});
  say(a, kFirst,
      message::RelayOpen{
          4, a.identity.node_id(), nobody, {in.second.identity.node_id(), self}, {}});
  in.world.run_for(1min);
  EXPECT_EQ(in.first.engine.labels(), 0u);
  EXPECT_EQ(in.second.engine.labels(), 0u);
  EXPECT_EQ(in.first.engine.relayed, 0u);
}

TEST_F(RelayLies, WordsAboutCircuitsOfOthersDoNothing) {
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  Node& m = in.add({.name = "mallory", .address = "192.168.10.66/24", .underlay = {"10.0.3.1/24"}},
                   kPortRestricted, "203.0.115.1");
  in.world.run_for(2s);
  for (std::uint32_t label = 0; label < 40; ++label) {
    say(m, kFirst, message::RelayClosed{label, message::RelayCloseReason::kDone});
    say(m, kFirst, message::RelayOpened{label, 77});
  }
  in.world.run_for(200ms);
  const std::uint32_t packet = a.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(packet); }, 100ms));
}

TEST_F(RelayLies, IntroductionsThatNobodyAskedForAreRefused) {
  const auto before = a.overlay->counters().records_refused;
  const std::size_t known = a.overlay->peers().size();
  const auto stranger = overlay::Identity::generate();
  const auto credential = overlay::Credential::make(stranger, {*Prefix::parse("192.168.10.200")},
                                                    {}, "stranger", in.world.clock().wall);
  say(in.first, kAlice, message::Introduction{credential.encoded});
  say(in.first, kAlice, message::Introduction{{1, 2, 3}});
  in.world.run_for(500ms);
  EXPECT_EQ(a.overlay->counters().records_refused, before + 2);
  EXPECT_EQ(a.overlay->peers().size(), known);
}

TEST_F(RelayLies, ARelayThatStopsServingIsLeft) {
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  in.first.overlay->set_relay({.serve = overlay::RelayServe::kNo}, in.world.clock());
  Node& c = in.add({.name = "carol", .address = "192.168.10.30/24", .underlay = {"10.0.4.1/24"}},
                   kSymmetric, "203.0.116.1");
  in.world.run_for(3s);
  const std::uint32_t packet = c.send(kBob);
  EXPECT_TRUE(in.world.run_until([&] { return b.received(packet); }, 1s));
  EXPECT_EQ(c.peer(kBob)->relay_via, std::vector<std::string>{"second"});
}

TEST_F(RelayLies, CandidatesThatPointAtThirdPartiesDrawFewDatagrams) {
  const std::uint32_t first = a.send(kBob);
  ASSERT_TRUE(in.world.run_until([&] { return b.received(first); }, 1s));
  const Endpoint victim = *Endpoint::parse("198.51.100.200:53");
  unsigned at_victim = 0;
  in.world.loses = [&](const Node&, const Endpoint& to, ByteView) {
    at_victim += to.address == victim.address;
    return false;
  };
  for (int i = 0; i < 600; ++i) {
    message::Candidates candidates;
    for (std::uint16_t k = 0; k < 16; ++k) {
      const auto port = static_cast<std::uint16_t>(1000 + 16 * i + k);
      candidates.list.push_back({{victim.address, port}, overlay::CandidateKind::kMapped});
    }
    say(a, kBob, candidates);
    in.world.run_for(100ms);
  }
  // In ten minutes, from each who is told, however many ports are named.
  EXPECT_LE(at_victim, 2 * overlay::ProbeBudget::kMostUnanswered);
  EXPECT_GT(at_victim, 16u);
}

}  // namespace
}  // namespace ipop::sim
