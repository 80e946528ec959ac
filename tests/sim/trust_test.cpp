// Membership by certificates: who is let in, who is not, and what both sides say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/trusting_nodes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Packets in both directions for ten seconds, none of which may arrive.
void expect_apart(World& world, Node& a, Node& b) {
  std::vector<std::uint32_t> there, back;
  for (int i = 0; i < 20; ++i) {
    there.push_back(a.send(kBob));
    back.push_back(b.send(kAlice));
    world.run_for(500ms);
  }
  for (const std::uint32_t number : there)
    EXPECT_FALSE(b.received(number));
  for (const std::uint32_t number : back)
    EXPECT_FALSE(a.received(number));
}

// Alice refuses Bob, and each says why.
void expect_refused(Node& a, Node& b, const std::string& at_alice, const std::string& at_bob) {
  const PeerStatus* at_a = a.peer(kBob);
  ASSERT_NE(at_a, nullptr);
  EXPECT_EQ(at_a->state, PeerState::kRefused);
  EXPECT_THAT(at_a->why, HasSubstr(at_alice));
  const PeerStatus* at_b = b.peer(kAlice);
  ASSERT_NE(at_b, nullptr);
  EXPECT_EQ(at_b->state, PeerState::kRefused);
  EXPECT_THAT(at_b->why, HasSubstr(at_bob));
}

TEST(Trust, LetsInWhomTheCaNamesWithinASecond) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&ca}}));
  const std::uint32_t there = a.send(kBob);
  EXPECT_TRUE(world.run_until([&] { return b.received(there); }, 1s));
  const std::uint32_t back = b.send(kAlice);
  EXPECT_TRUE(world.run_until([&] { return a.received(back); }, 1s));
  EXPECT_EQ(a.peer(kBob)->state, PeerState::kConnected);
}

TEST(Trust, ComesThroughLossWithLongChains) {
  World world;
  const Issuer ca = ca_named("CA");
  const Issuer between =
      ca.make_ca(*HostKey::generate(KeyKind::kRsa3072),
                 {.name = "between", .validity = kUsual, .permitted = {}, .depth = 0})
          .value();
  unsigned datagrams = 0;
  world.loses = [&](const Node&, const Endpoint&, ByteView) { return ++datagrams % 3 == 0; };
  const Options chain{.trusts = {&ca}, .signed_by = &between, .between = &between};
  Node& a = world.add(with_trust(alice(), chain));
  Node& b = world.add(with_trust(bob(), chain));
  const auto passes = [&] {
    const std::uint32_t number = a.send(kBob);
    world.run_for(200ms);
    return b.received(number);
  };
  EXPECT_TRUE(world.run_until(passes, 15s));
}

TEST(Trust, RefusesWhoShowsNoCertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(bob());
  expect_apart(world, a, b);
  expect_refused(a, b, "no certificate", "no certificate: set trust.cert");
}

TEST(Trust, RefusesTheCertificateOfAnotherCa) {
  World world;
  const Issuer ca = ca_named("CA");
  const Issuer other = ca_named("other CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&ca}, .signed_by = &other}));
  expect_apart(world, a, b);
  expect_refused(a, b, "not signed by a CA that we trust, but by CN=other CA", "another CA");
}

TEST(Trust, RefusesAnExpiredCertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b =
      world.add(with_trust(bob(), {.trusts = {&ca}, .validity = {kStart - 24h, kStart - 1h}}));
  expect_apart(world, a, b);
  expect_refused(a, b, "has expired on", "an expired certificate: renew");
}

TEST(Trust, RefusesACertificateThatIsNotValidYet) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b =
      world.add(with_trust(bob(), {.trusts = {&ca}, .validity = {kStart + 60s, kStart + 24h}}));
  expect_apart(world, a, b);
  expect_refused(a, b, "is valid only from", "not valid yet: set the clocks");
  world.run_for(60s);
  EXPECT_TRUE(connects(world, a, b, 10s)) << "when its time has come, it is let in";
}

TEST(Trust, RefusesTheCertificateOfAnotherAddress) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&ca}, .certified = "192.168.10.99"}));
  expect_apart(world, a, b);
  expect_refused(a, b, "claims 192.168.10.20, and its certificate (bob) names 192.168.10.99",
                 "an address that the certificate does not name");
}

TEST(Trust, RefusesTheBindingOfAnotherNode) {
  World world;
  const Issuer ca = ca_named("CA");
  const Identity other = Identity::generate();
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&ca}, .bound_to = &other}));
  expect_apart(world, a, b);
  expect_refused(a, b, "did not sign for this node", "the key binding of another node");
}

TEST(Trust, RefusesARevokedCertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Known of_bob;
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}})));
  ASSERT_TRUE(a.overlay->add_revocation_list(list_of(ca, 1, of_bob.passport), world.clock()));
  expect_apart(world, a, b);
  expect_refused(a, b, "is revoked", "a revoked certificate");
}

TEST(Trust, DoesNotGiveWayToAnAddressThiefWithoutACertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  NodeOptions thief = alice();
  thief.name = "thief";
  thief.underlay = {"10.0.9.1/24"};
  thief.claimed_at = WallTime(24h * 365 * 20);
  world.add(thief);
  world.run_for(10s);
  EXPECT_TRUE(a.fatal.empty());
}

TEST(Trust, CutsTheSessionsOfAPeerWhoseCertificateExpires) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b =
      world.add(with_trust(bob(), {.trusts = {&ca}, .validity = {kStart - 1h, kStart + 30s}}));
  ASSERT_TRUE(connects(world, a, b, 2s));
  world.run_for(kStart + 32s - world.clock().wall);
  expect_apart(world, a, b);
  expect_refused(a, b, "has expired on", "an expired certificate");
}

TEST(Trust, CutsTheSessionsOfAPeerThatIsRevokedAndTellsTheOthers) {
  World world;
  const Issuer ca = ca_named("CA");
  Known of_bob;
  NodeOptions third{.name = "carol", .address = "192.168.10.30/24", .underlay = {"10.0.3.1/24"}};
  Node& a = world.add(with_trust(alice(), {.trusts = {&ca}}));
  Node& b = world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}})));
  Node& c = world.add(with_trust(third, {.trusts = {&ca}}));
  ASSERT_TRUE(connects(world, a, b, 2s));
  ASSERT_TRUE(connects(world, a, c, 2s));
  ASSERT_TRUE(connects(world, b, c, 2s));
  // Carol's file alone has the list; Alice hears of it from her.
  ASSERT_TRUE(c.overlay->add_revocation_list(list_of(ca, 1, of_bob.passport), world.clock()));
  world.run_for(2s);
  expect_apart(world, a, b);
  expect_refused(a, b, "is revoked", "a revoked certificate");
  EXPECT_TRUE(connects(world, a, c, 1s));
}

TEST(Trust, RemembersRevocationOverARestart) {
  World world;
  const TemporaryDirectory state;
  const Issuer ca = ca_named("CA");
  Known of_bob;
  NodeOptions first = with_trust(alice(), {.trusts = {&ca}});
  first.state = state.path();
  Node& before = world.add(first);
  Node& b = world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}})));
  ASSERT_TRUE(before.overlay->add_revocation_list(list_of(ca, 1, of_bob.passport), world.clock()));
  world.kill(before);
  before.underlay.clear();
  Node& again = world.add(first);
  expect_apart(world, again, b);
  EXPECT_THAT(again.peer(kBob)->why, HasSubstr("is revoked"));
}

// Gives a node other CAs or another certificate, as a reload does.
void set_trust(Node& node, const Options& options) {
  const NodeOptions made = with_trust(node.options, options);
  node.overlay->set_trust(made.trust(node.identity, node.network), node.world.clock());
}

TEST(Trust, RemembersRevocationByACaThatWasNotTrustedForAWhile) {
  World world;
  const TemporaryDirectory state;
  const Issuer ca = ca_named("CA");
  const Issuer other = ca_named("other CA");
  Known of_bob;
  NodeOptions options = with_trust(alice(), {.trusts = {&ca}});
  options.state = state.path();
  Node& a = world.add(options);
  Node& b = world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}, .judges = false})));
  a.directory.hears = false;
  ASSERT_TRUE(a.overlay->add_revocation_list(list_of(ca, 1, of_bob.passport), world.clock()));
  set_trust(a, {.trusts = {&other}});
  world.run_for(1s);
  set_trust(a, {.trusts = {&ca}});
  EXPECT_FALSE(connects(world, a, b, 3s));
  ASSERT_NE(a.peer(kBob), nullptr);
  EXPECT_THAT(a.peer(kBob)->why, HasSubstr("is revoked"));
}

TEST(Trust, GoesOverFromOneCaToAnotherWithoutALostPacket) {
  World world;
  const Issuer old_ca = ca_named("CA");
  const Issuer new_ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&old_ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&old_ca}}));
  ASSERT_TRUE(connects(world, a, b, 2s));
  const auto step = [&](Node& node, const Options& options) {
    set_trust(node, options);
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(connects(world, a, b, 100ms));
      world.run_for(100ms);
    }
  };
  step(a, {.trusts = {&old_ca, &new_ca}});
  step(b, {.trusts = {&old_ca, &new_ca}});
  step(a, {.trusts = {&old_ca, &new_ca}, .signed_by = &new_ca});
  step(b, {.trusts = {&old_ca, &new_ca}, .signed_by = &new_ca});
  step(a, {.trusts = {&new_ca}});
  step(b, {.trusts = {&new_ca}});
}

TEST(Trust, FindsTogetherAgainAfterAChangeWithoutATransition) {
  World world;
  const Issuer old_ca = ca_named("CA");
  const Issuer new_ca = ca_named("CA");
  Node& a = world.add(with_trust(alice(), {.trusts = {&old_ca}}));
  Node& b = world.add(with_trust(bob(), {.trusts = {&old_ca}}));
  ASSERT_TRUE(connects(world, a, b, 2s));
  set_trust(a, {.trusts = {&new_ca}});
  world.run_for(3s);
  EXPECT_FALSE(connects(world, a, b, 1s));
  set_trust(b, {.trusts = {&new_ca}});
  EXPECT_TRUE(world.run_until([&] { return connects(world, a, b, 100ms); }, 15s));
}

TEST(Trust, WarnsOfItsOwnCertificateInTime) {
  World world;
  const Issuer ca = ca_named("CA");
  const auto warnings_of = [&](const Validity& validity) {
    Node& node = world.add(with_trust(alice(), {.trusts = {&ca}, .validity = validity}));
    world.run_for(100ms);
    std::vector<std::string> warnings = node.status().warnings;
    world.kill(node);
    node.underlay.clear();
    return warnings;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(warnings_of({kStart - 24h, kStart + 31 * 24h}), ElementsAre());
  EXPECT_THAT(warnings_of({kStart - 24h, kStart + 29 * 24h}),
              ElementsAre(HasSubstr("expires within 30 days, on 2024-11-02")));
  EXPECT_THAT(warnings_of({kStart - 24h, kStart + 6 * 24h}),
              ElementsAre(HasSubstr("expires within 7 days, on 2024-10-10")));
  EXPECT_THAT(warnings_of({kStart - 24h, kStart - 1h}), ElementsAre(HasSubstr("has expired on")));
}

TEST(Trust, TurnedOnWhileRunningPutsOutWhoHasNoCertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& a = world.add(alice());
  Node& b = world.add(bob());
  ASSERT_TRUE(connects(world, a, b, 2s));
  a.overlay->set_trust(with_trust(alice(), {.trusts = {&ca}}).trust(a.identity, a.network),
                       world.clock());
  world.run_for(1s);
  expect_apart(world, a, b);
  expect_refused(a, b, "no certificate", "no certificate");
}

TEST(Trust, GrantsAConfiguredPeerNothingWithoutACertificate) {
  World world;
  const Issuer ca = ca_named("CA");
  Node& b = world.add(bob());
  NodeOptions strict = with_trust(alice(), {.trusts = {&ca}});
  strict.static_peers = {{.name = "bob",
                          .key = b.identity.exchange_key(),
                          .endpoint = b.endpoint(),
                          .allowed_ips = {Prefix::host(*IpAddress::parse(kBob))}}};
  Node& a = world.add(strict);
  expect_apart(world, a, b);
  expect_refused(a, b, "no certificate", "no certificate");
}

}  // namespace
}  // namespace ipop::sim
