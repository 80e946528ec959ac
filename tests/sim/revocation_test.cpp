// Revocation lists on their way: from one node to all others, whoever is there when, and whatever
// strangers and members put in their way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "overlay/directory/sealed_box.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/revocation_notice.hpp"
#include "overlay/peer/revocation_spread.hpp"
#include "tests/sim/trusting_nodes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr unsigned kMembers = 20;

std::string inner(unsigned i) {
  return fmt::format("192.168.10.{}", 100 + i);
}

NodeOptions member(unsigned i) {
  return {.name = fmt::format("n{}", i),
          .address = inner(i) + "/24",
          .underlay = {fmt::format("10.1.{}.1/24", i)}};
}

bool refuses_bob(const Node& node) {
  const PeerStatus* const bob = node.peer(kBob);
  return bob != nullptr && bob->state == PeerState::kRefused &&
         bob->why.find("is revoked") != std::string::npos;
}

// A list of that many revocations, Bob's among them.
Result<RevocationList> long_list(const Issuer& ca, std::uint64_t number, const Known& bob,
                                 unsigned revocations) {
  std::vector<Revoked> revoked{{Passport::parse(bob.passport)->chain.front().serial(), kStart}};
  for (unsigned i = 1; i < revocations; ++i)
    revoked.push_back({fmt::format("0102030405060708090A0B0C0D{:06X}", i), kStart});
  return ca.sign_list(revoked, number, {kStart, kStart + 24h});
}

// Alice, Bob who is to be revoked and learns of no list, and Carol, who is not there yet.
struct Story {
  World world;
  Issuer ca = ca_named("CA");
  Known of_bob;
  Node* a = nullptr;
  Node* b = nullptr;

  Story() {
    a = &world.add(with_trust(alice(), {.trusts = {&ca}}));
    b = &world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}, .judges = false})));
  }
  Node& add(const std::string& name, unsigned number) {
    NodeOptions options = member(number);
    options.name = name;
    return world.add(with_trust(options, {.trusts = {&ca}}));
  }
  void put_out(Node& node) {
    world.kill(node);
    node.underlay.clear();
  }
  // Whether it comes to refuse Bob, who calls it and is called.
  bool learns(Node& node, Duration limit) {
    const std::string own = Prefix::parse(node.options.address)->address.to_string();
    const std::uint32_t there = node.send(kBob);
    const std::uint32_t back = b->send(own);
    const bool in_time = world.run_until([&] { return refuses_bob(node); }, limit);
    return in_time && !b->received(there) && !node.received(back);
  }
  DirectoryKey place() const { return a->network.revoked_key(ca.certificate().key_id()); }
};

TEST(Revocation, ReachesTwentyNodesOfWhichOneWasAwayAndTwoCameLater) {
  World world;
  const TemporaryDirectory state;
  const Issuer ca = ca_named("CA");
  Known of_bob;
  Node& b = world.add(of_bob.keep(with_trust(bob(), {.trusts = {&ca}, .judges = false})));
  std::vector<Node*> members;
  const auto add = [&](unsigned i) {
    NodeOptions options = with_trust(member(i), {.trusts = {&ca}});
    options.state = state.path();
    members.push_back(&world.add(options));
  };
  for (unsigned i = 0; i < kMembers - 2; ++i)
    add(i);
  world.run_for(1s);
  for (Node* node : members)
    ASSERT_TRUE(connects(world, *node, b, 3s)) << node->options.name;
  // Each is connected to two others, and most to nobody who is told first.
  for (unsigned i = 0; i < members.size(); ++i)
    ASSERT_TRUE(connects(world, *members[i], *members[(i + 1) % members.size()], 3s));
  Node& away = *members[7];
  world.kill(away);
  world.run_for(10s);

  ASSERT_TRUE(
      members[0]->overlay->add_revocation_list(list_of(ca, 1, of_bob.passport), world.clock()));
  const Instant told = world.now;
  const auto online_know = [&] {
    return std::ranges::all_of(
        members, [&](const Node* node) { return node == &away || refuses_bob(*node); });
  };
  EXPECT_TRUE(world.run_until(online_know, 5s));
  fmt::print("{} nodes refuse the revoked one after {} ms\n", members.size() - 1,
             (world.now - told) / 1ms);
  world.run_for(1s);
  // Nothing passes in either direction any more, and it is told why.
  for (Node* node : members) {
    if (node == &away) continue;
    EXPECT_FALSE(connects(world, *node, b, 100ms)) << node->options.name;
    EXPECT_THAT(b.peer(Prefix::parse(node->options.address)->address.to_string())->why,
                HasSubstr("revoked"));
  }
  // Later, when all who were told first have said it, two come, and one comes back.
  world.run_for(20min);
  for (unsigned i = kMembers - 2; i < kMembers; ++i)
    add(i);
  world.revive(away);
  for (Node* node : {&away, members[kMembers - 2], members[kMembers - 1]}) {
    node->send(kBob);
    EXPECT_TRUE(world.run_until([&] { return refuses_bob(*node); }, 5s)) << node->options.name;
    EXPECT_FALSE(connects(world, *node, b, 1s)) << node->options.name;
  }
  for (unsigned i = 1; i < kMembers; ++i)
    EXPECT_TRUE(connects(world, *members[0], *members[i], 3s)) << "the others go on";
}

TEST(Revocation, IsLearntFromTheDirectoryWhenNobodyElseIsThere) {
  Story story;
  const auto list = long_list(story.ca, 5, story.of_bob, 100).value();
  ASSERT_GT(list.der().size(), 3 * RevocationNotice::kPart);
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list, story.world.clock()));
  story.world.run_for(3s);
  story.put_out(*story.a);
  Node& c = story.add("carol", 1);
  story.world.run_for(1s);
  EXPECT_TRUE(story.learns(c, 3s));
  // She keeps it there when what Alice stored has run out.
  story.world.run_for(25min);
  story.put_out(c);
  Node& d = story.add("dave", 2);
  story.world.run_for(1s);
  EXPECT_TRUE(story.learns(d, 3s));
}

TEST(Revocation, FitsTheDirectoryUpToTheLargestListThatIsTaken) {
  Story story;
  auto list = long_list(story.ca, 5, story.of_bob, 1500);
  for (unsigned count = 1520; list->der().size() < x509::kMaxList - 1000; count += 20) {
    auto longer = long_list(story.ca, 5, story.of_bob, count);
    if (!longer) break;
    list = std::move(longer);
  }
  ASSERT_GT(list->der().size(), x509::kMaxList - 1000);
  ASSERT_TRUE(story.a->overlay->add_revocation_list(*list, story.world.clock()));
  story.world.run_for(3s);
  story.put_out(*story.a);
  Node& c = story.add("carol", 1);
  story.world.run_for(1s);
  EXPECT_TRUE(story.learns(c, 3s));
}

// However many have it: a few store it, and there is never a time when it is not there.
TEST(Revocation, StaysInTheDirectoryAtACostThatDoesNotGrowWithTheNodes) {
  Story story;
  for (unsigned i = 1; i < kMembers; ++i)
    story.add(member(i).name, i);
  story.world.run_for(1s);
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list_of(story.ca, 1, story.of_bob.passport),
                                                    story.world.clock()));
  for (int second = 0; second < 3600; second += 10) {
    story.world.run_for(10s);
    const auto& values = story.world.stored[story.place()];
    const bool there = std::ranges::any_of(
        values, [&](const auto& value) { return value.first > story.world.now; });
    ASSERT_TRUE(there) << second << " s";
  }
  EXPECT_LE(story.world.stored[story.place()].size(), 3600u / 180 * 2);
}

TEST(Revocation, GoesBackNeitherForAnOlderListNorForOneOfAnotherCa) {
  Story story;
  const Issuer other = ca_named("CA");
  const KeyId signer = story.ca.certificate().key_id();
  // Mallory knows the network, so she can seal and store what she likes.
  const auto store = [&](RevocationNotice notice, const RevocationList::Age& age) {
    notice.age = age;
    story.b->directory.post(story.place(), notice.seal(story.b->network, signer));
  };
  const WallTime now = story.world.clock().wall;
  const auto ours = list_of(story.ca, 9, story.of_bob.passport);
  const auto empty = story.ca.sign_list({}, 8, {kStart, kStart + 24h}).value();
  RevocationList::Age later = ours.age();
  later.number[0] = 0x7f;
  ASSERT_TRUE(story.a->overlay->add_revocation_list(ours, story.world.clock()));
  store(RevocationNotice::of(empty, now), empty.age());  // a replay
  store(RevocationNotice::of(empty, now), later);        // ... that says it is not one
  store(RevocationNotice::of(list_of(other, 99, story.of_bob.passport), now), later);
  RevocationNotice garbage = RevocationNotice::of(ours, now);
  garbage.list.assign(garbage.list.size(), 0x30);
  store(garbage, later);
  story.b->directory.post(story.place(), {1, 2, 3});
  story.b->directory.post(story.place(), DirectoryValue(100'000, 0x80));
  story.world.run_for(3s);
  // Two that are no lists of this CA, and two that nobody of the network sealed.
  EXPECT_EQ(story.a->overlay->counters().lists_refused, 4u);
  Node& c = story.add("carol", 1);
  EXPECT_TRUE(story.learns(c, 5s));
  EXPECT_TRUE(story.learns(*story.a, 5s));
}

TEST(Revocation, IsPutTogetherAlthoughOthersStandInThePlacesOfItsParts) {
  Story story;
  const auto list = long_list(story.ca, 5, story.of_bob, 60).value();
  const auto parts = RevocationNotice::of(list, story.world.clock().wall).parts;
  for (const auto& digest : parts) {
    const DirectoryKey at = story.b->network.revoked_part_key(digest);
    const std::vector<std::uint8_t> other(RevocationNotice::kPart, 7);
    story.b->directory.post(
        at, seal_box(story.b->network.record_seal(), "ipop revoked part v1", at, other));
    story.b->directory.post(at, {1, 2, 3});
  }
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list, story.world.clock()));
  story.world.run_for(3s);
  story.put_out(*story.a);
  Node& c = story.add("carol", 1);
  EXPECT_TRUE(story.learns(c, 5s));
  EXPECT_EQ(c.overlay->counters().lists_refused, 2 * parts.size());
}

TEST(Revocation, CostsABoundedAmountOfWorkWhateverMembersStore) {
  Story story;
  Node& c = story.add("carol", 1);
  story.world.run_for(1s);
  const KeyId signer = story.ca.certificate().key_id();
  const WallTime now = story.world.clock().wall;
  const auto ours = long_list(story.ca, 5, story.of_bob, 60).value();
  const auto before = story.world.multicasts;
  for (unsigned i = 0; i < 1000; ++i) {
    RevocationNotice notice = RevocationNotice::of(
        i % 2 == 0 ? ours : list_of(ca_named("CA"), 1, story.of_bob.passport), now);
    notice.age.number[0] = 0x70;
    notice.age.number[18] = static_cast<std::uint8_t>(i >> 8);
    notice.age.number[19] = static_cast<std::uint8_t>(i);
    story.b->directory.post(story.place(), notice.seal(story.b->network, signer));
  }
  story.world.run_for(2s);
  EXPECT_EQ(story.world.multicasts, before);
  // Half of those that are looked at closer are in parts, of which there can be four at once.
  const OverlayCounters& counters = c.overlay->counters();
  EXPECT_EQ(counters.lists_refused, RevocationSpread::kNewsPerSecond / 2);
  EXPECT_EQ(counters.lists_limited,
            1000 - RevocationSpread::kNewsPerSecond / 2 - RevocationSpread::kMostFetches);
  // And it does not keep the next one from coming through.
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list_of(story.ca, 1, story.of_bob.passport),
                                                    story.world.clock()));
  EXPECT_TRUE(story.learns(c, 5s));
}

// The directory asks in a limited number of places an hour: all others have to fit, too.
TEST(Revocation, AsksInABoundedNumberOfPlacesForListsThatAreNotThere) {
  Story story;
  Node& c = story.add("carol", 1);
  story.world.run_for(1s);
  const auto ours = long_list(story.ca, 5, story.of_bob, 1500).value();
  RevocationNotice notice = RevocationNotice::of(ours, story.world.clock().wall);
  const std::size_t before = c.directory.asked.size();
  for (unsigned second = 0; second < 600; ++second) {
    for (std::size_t i = 0; i < notice.parts.size(); ++i) {
      notice.parts[i] = {static_cast<std::uint8_t>(second), static_cast<std::uint8_t>(second >> 8),
                         static_cast<std::uint8_t>(i)};
    }
    notice.age.number[0] = 0x70;
    story.b->directory.post(story.place(),
                            notice.seal(story.b->network, story.ca.certificate().key_id()));
    story.world.run_for(1s);
  }
  EXPECT_LE(c.directory.asked.size() - before, RevocationSpread::kPartsAtOnce + 600 + 10);
  EXPECT_GE(c.overlay->counters().lists_limited, 580u);
}

TEST(Revocation, IsSaidAgainWhereTheWordWasLost) {
  Story story;
  Node& c = story.add("carol", 1);
  ASSERT_TRUE(connects(story.world, *story.a, c, 3s));
  ASSERT_TRUE(connects(story.world, *story.b, c, 3s));
  story.world.run_for(3s);
  for (const auto& node : story.world.nodes)
    node->directory.reachable = false;
  const Instant cut_until = story.world.now + 900ms;
  story.world.loses = [&](const Node& from, const Endpoint& to, ByteView) {
    return &from == story.a && to.address == c.endpoint().address && story.world.now < cut_until;
  };
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list_of(story.ca, 1, story.of_bob.passport),
                                                    story.world.clock()));
  EXPECT_TRUE(story.world.run_until([&] { return refuses_bob(c); }, 4s));
}

// What Alice has, she says before Carol knows her well enough to believe it.
TEST(Revocation, IsToldToNewcomersAsSoonAsTheyAreLetIn) {
  Story story;
  story.a->directory.hears = false;  // what it stores now, nobody finds
  ASSERT_TRUE(story.a->overlay->add_revocation_list(list_of(story.ca, 1, story.of_bob.passport),
                                                    story.world.clock()));
  NodeOptions options = member(1);
  options.static_peers = {{.name = "alice",
                           .key = story.a->identity.exchange_key(),
                           .endpoint = story.a->endpoint(),
                           .allowed_ips = {}}};
  Node& c = story.world.add(with_trust(options, {.trusts = {&story.ca}}));
  story.world.run_for(1s);
  EXPECT_TRUE(story.learns(c, 3s));
}

TEST(Revocation, IsNotLookedForForAMinuteAtAPeerWhoseListWasNone) {
  Story story;
  Node& m = story.add("mallory", 1);
  ASSERT_TRUE(connects(story.world, *story.a, m, 3s));
  const std::vector<std::uint8_t> bytes(10, 0x30);
  const Peer* to = nullptr;
  m.overlay->peers().for_each([&](const Peer& peer) {
    if (peer.credential && peer.credential->hostname == "alice") to = &peer;
  });
  ASSERT_NE(to, nullptr);
  const auto offer = [&](std::uint8_t number) {
    message::TrustHello hello;
    hello.lists.push_back({story.ca.certificate().key_id(), {}, digest_of(bytes)});
    hello.lists.front().age.number[0] = number;
    m.engine.send_sealed(to->current, message::encode(message::Message(hello)), {});
    m.engine.send_sealed(to->current,
                         message::encode(message::Message(message::TrustPart{
                             .digest = digest_of(bytes), .total = 10, .index = 0, .bytes = bytes})),
                         {});
    story.world.run_for(100ms);
  };
  for (std::uint8_t i = 1; i <= 20; ++i)
    offer(i);
  EXPECT_EQ(story.a->overlay->counters().lists_refused, 1u);
  story.world.run_for(1min);
  offer(21);
  EXPECT_EQ(story.a->overlay->counters().lists_refused, 2u);
}

}  // namespace
}  // namespace ipop::sim
