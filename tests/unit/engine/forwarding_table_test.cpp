#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "engine/engine.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

constexpr TableSizes kSizes{.peers = 8, .sessions = 8, .hosts = 4096, .prefixes = 8};

class Table : public testing::Test {
 protected:
  Table() { start_eal_for({}); }

  PeerIndex add_peer() { return *table().add_peer(); }
  ReceiverIndex publish(PeerIndex peer) {
    const ReceiverIndex local = *table().reserve_session();
    table().publish_session({.peer = peer, .local = local, .remote = 1});
    return local;
  }
  PeerIndex find(std::string_view address) { return table().reader().routes.find(ip(address)); }
  // Made late: EAL first.
  DpdkForwardingTable& table() {
    if (!table_) table_.emplace(kSizes, 4, make_aead_engine());
    return *table_;
  }

 private:
  std::optional<DpdkForwardingTable> table_;
};

TEST_F(Table, FindsTheLongestPrefix) {
  const PeerIndex wide = add_peer();
  const PeerIndex narrow = add_peer();
  const PeerIndex host = add_peer();
  const PeerIndex all = add_peer();
  ASSERT_TRUE(table().add_route(prefix("10.0.0.0/8"), wide));
  ASSERT_TRUE(table().add_route(prefix("10.1.2.0/24"), narrow));
  ASSERT_TRUE(table().add_route(prefix("10.1.2.3"), host));
  EXPECT_EQ(find("10.9.9.9"), wide);
  EXPECT_EQ(find("10.1.2.9"), narrow);
  EXPECT_EQ(find("10.1.2.3"), host);
  EXPECT_EQ(find("11.0.0.1"), kNoPeer);
  ASSERT_TRUE(table().add_route(prefix("0.0.0.0/0"), all));
  EXPECT_EQ(find("11.0.0.1"), all);
  // The families are apart, even where IPv4 lies inside IPv6.
  EXPECT_EQ(find("fd00::1"), kNoPeer);
  ASSERT_TRUE(table().add_route(prefix("::/0"), wide));
  EXPECT_EQ(find("fd00::1"), wide);
  EXPECT_EQ(find("11.0.0.1"), all);
  table().remove_route(prefix("10.1.2.3"), host);
  EXPECT_EQ(find("10.1.2.3"), narrow);
}

TEST_F(Table, GivesAPrefixToOnePeerOnly) {
  const PeerIndex first = add_peer();
  const PeerIndex second = add_peer();
  for (const char* text : {"10.0.0.1", "10.2.0.0/16", "fd00::/64"}) {
    EXPECT_TRUE(table().add_route(prefix(text), first)) << text;
    EXPECT_TRUE(table().add_route(prefix(text), first)) << text;
    EXPECT_FALSE(table().add_route(prefix(text), second)) << text;
    table().remove_route(prefix(text), second);
    EXPECT_EQ(table().reader().routes.find(prefix(text).address), first) << text;
    table().remove_route(prefix(text), first);
    EXPECT_TRUE(table().add_route(prefix(text), second)) << text;
  }
  // Host bits do not make it another prefix.
  EXPECT_FALSE(table().add_route(prefix("10.2.3.4/16"), first));
}

TEST_F(Table, RemovesAPeersRoutesAndSessionsWithIt) {
  const PeerIndex peer = add_peer();
  ASSERT_TRUE(table().add_route(prefix("10.0.0.1"), peer));
  ASSERT_TRUE(table().add_route(prefix("10.2.0.0/16"), peer));
  const ReceiverIndex session = publish(peer);
  table().use_session(peer, session);
  table().remove_peer(peer);
  EXPECT_EQ(find("10.0.0.1"), kNoPeer);
  EXPECT_EQ(find("10.2.0.1"), kNoPeer);
  EXPECT_EQ(table().reader().sessions.find(session), nullptr);
  EXPECT_EQ(table().reader().peers.find(peer), nullptr);
  table().remove_peer(peer);
  EXPECT_FALSE(table().add_route(prefix("10.0.0.1"), peer));
}

TEST_F(Table, SaysSoWhenItIsFull) {
  std::vector<PeerIndex> peers;
  for (std::uint32_t i = 0; i < kSizes.peers; ++i)
    peers.push_back(add_peer());
  EXPECT_FALSE(table().add_peer());
  std::vector<ReceiverIndex> sessions;
  for (std::uint32_t i = 0; i < kSizes.sessions; ++i) {
    sessions.push_back(*table().reserve_session());
  }
  EXPECT_FALSE(table().reserve_session());
  for (std::uint32_t i = 0; i < kSizes.prefixes; ++i) {
    EXPECT_TRUE(table().add_route({IpAddress::v4(i << 24), 8}, peers[0]));
  }
  EXPECT_FALSE(table().add_route(prefix("200.0.0.0/8"), peers[0]));
  for (std::uint32_t i = 0; i < kSizes.hosts; ++i) {
    ASSERT_TRUE(table().add_route(Prefix::host(IpAddress::v4(0x0a000000 + i)), peers[i % 8])) << i;
  }
  EXPECT_FALSE(table().add_route(prefix("11.0.0.1"), peers[0]));
  for (std::uint32_t i = 0; i < kSizes.hosts; ++i) {
    ASSERT_EQ(table().reader().routes.find(IpAddress::v4(0x0a000000 + i)), peers[i % 8]) << i;
  }
  // Each place that is given back can be used again.
  table().remove_peer(peers[0]);
  table().retire_session(sessions[0]);
  EXPECT_TRUE(table().add_peer());
  EXPECT_TRUE(table().reserve_session());
  EXPECT_TRUE(table().add_route(prefix("200.0.0.0/8"), peers[1]));
  EXPECT_TRUE(table().add_route(prefix("11.0.0.1"), peers[1]));
}

TEST_F(Table, GivesAReusedSlotAnotherIndex) {
  const PeerIndex peer = add_peer();
  std::set<ReceiverIndex> seen;
  for (int i = 0; i < 1000; ++i) {
    const ReceiverIndex session = publish(peer);
    EXPECT_NE(session, kNoReceiver);
    EXPECT_TRUE(seen.insert(session).second);
    EXPECT_NE(table().reader().sessions.find(session), nullptr);
    table().retire_session(session);
    EXPECT_EQ(table().reader().sessions.find(session), nullptr);
  }
}

TEST_F(Table, IgnoresAnOldGenerationsRetirement) {
  const PeerIndex peer = add_peer();
  std::vector<ReceiverIndex> live;
  const ReceiverIndex old = publish(peer);
  table().retire_session(old);
  for (std::uint32_t i = 0; i < kSizes.sessions; ++i)
    live.push_back(publish(peer));
  table().retire_session(old);
  for (const ReceiverIndex session : live) {
    EXPECT_NE(table().reader().sessions.find(session), nullptr);
  }
}

TEST_F(Table, StopsSendingWithARetiredSession) {
  const PeerIndex peer = add_peer();
  const ReceiverIndex first = publish(peer);
  const ReceiverIndex second = publish(peer);
  table().use_session(peer, first);
  table().retire_session(second);
  EXPECT_NE(table().reader().peers.find(peer)->session, nullptr);
  table().retire_session(first);
  EXPECT_EQ(table().reader().peers.find(peer)->session, nullptr);
}

TEST_F(Table, DoesNotUseASessionOfAnotherPeer) {
  const PeerIndex peer = add_peer();
  const PeerIndex other = add_peer();
  table().use_session(peer, publish(other));
  EXPECT_EQ(table().reader().peers.find(peer)->session, nullptr);
}

TEST_F(Table, KeepsCountsOfFreedSessionsAndForgetsThemWithThePeer) {
  const PeerIndex peer = add_peer();
  const ReceiverIndex session = publish(peer);
  table().reader().sessions.find(session)->sent.data_packets.add(5);
  table().reader().sessions.find(session)->received.data_bytes.add(700);
  table().retire_session(session);
  EXPECT_EQ(table().counters(peer).tx_packets, 5u);
  table().reclaim();
  EXPECT_EQ(table().pending(), 0u);
  EXPECT_EQ(table().counters(peer).tx_packets, 5u);
  EXPECT_EQ(table().counters(peer).rx_bytes, 700u);
  table().remove_peer(peer);
  for (int i = 0; i < 20; ++i) {
    const PeerIndex next = add_peer();
    EXPECT_EQ(table().counters(next).tx_packets, 0u);
    table().remove_peer(next);
  }
}

TEST_F(Table, FreesNothingThatALcoreMayStillSee) {
  const PeerIndex peer = add_peer();
  const ReceiverIndex session = publish(peer);
  table().use_session(peer, session);
  table().reclaim();
  ASSERT_EQ(table().pending(), 0u);
  rte_rcu_qsbr* const qsbr = table().qsbr();
  ASSERT_EQ(rte_rcu_qsbr_thread_register(qsbr, 0), 0);
  rte_rcu_qsbr_thread_online(qsbr, 0);
  table().retire_session(session);
  table().reclaim();
  EXPECT_EQ(table().pending(), 2u);  // the peer's former view, and the session
  rte_rcu_qsbr_quiescent(qsbr, 0);
  table().reclaim();
  EXPECT_EQ(table().pending(), 0u);
  table().set_path(peer, {endpoint("192.0.2.1:1"), 1420});
  rte_rcu_qsbr_thread_offline(qsbr, 0);  // a sleeping lcore holds nothing back
  table().reclaim();
  EXPECT_EQ(table().pending(), 0u);
  rte_rcu_qsbr_thread_unregister(qsbr, 0);
}

TEST_F(Table, TakesANewHostForOneThatWasRemovedWhileALcoreMayStillSeeIt) {
  const PeerIndex peer = add_peer();
  const auto host = [](std::uint32_t i) { return Prefix::host(IpAddress::v4(0x0a000000 + i)); };
  for (std::uint32_t i = 0; i < kSizes.hosts; ++i)
    ASSERT_TRUE(table().add_route(host(i), peer)) << i;
  rte_rcu_qsbr* const qsbr = table().qsbr();
  ASSERT_EQ(rte_rcu_qsbr_thread_register(qsbr, 0), 0);
  rte_rcu_qsbr_thread_online(qsbr, 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    table().remove_route(host(i), peer);
    EXPECT_TRUE(table().add_route(host(kSizes.hosts + i), peer)) << i;
    EXPECT_EQ(table().reader().routes.find(host(kSizes.hosts + i).address), peer);
  }
  EXPECT_FALSE(table().add_route(host(0), peer));
  rte_rcu_qsbr_thread_offline(qsbr, 0);
  rte_rcu_qsbr_thread_unregister(qsbr, 0);
}

// The slow obvious model: a list, searched from end to end.
PeerIndex model_find(const std::map<Prefix, PeerIndex>& routes, const IpAddress& address) {
  PeerIndex best = kNoPeer;
  int longest = -1;
  for (const auto& [route, peer] : routes) {
    if (route.contains(address) && route.length > longest) {
      longest = route.length;
      best = peer;
    }
  }
  return best;
}

TEST(Routes, AgreeWithASlowModelOnRandomInput) {
  start_eal_for({});
  Reclaimer reclaimer(1);
  {
    Routes routes(256, 256, reclaimer);
    std::map<Prefix, PeerIndex> model;
    std::mt19937 random(4545);
    const auto random_address = [&] {
      IpAddress::Bytes six{0xfd};
      six[15] = static_cast<std::uint8_t>(random() % 8);
      six[7] = static_cast<std::uint8_t>(random() % 4 << 4);
      return random() % 3 == 0
                 ? IpAddress(six)
                 : IpAddress::v4(static_cast<std::uint32_t>(0x0a000000 + random() % 64 * 5));
    };
    for (int step = 0; step < 4000; ++step) {
      const IpAddress address = random_address();
      const unsigned longest = address.bits();
      const auto length = random() % 2 == 0 ? longest : longest - random() % 20;
      const Prefix route = Prefix{address, static_cast<std::uint8_t>(length)}.masked();
      const PeerIndex peer{static_cast<std::uint32_t>(random() % 5)};
      const auto known = model.find(route);
      if (random() % 3 != 0) {
        const bool expected = known == model.end() || known->second == peer;
        ASSERT_EQ(routes.add(route, peer).has_value(), expected) << route.to_string();
        if (expected) model[route] = peer;
      } else {
        const bool expected = known != model.end() && known->second == peer;
        ASSERT_EQ(routes.remove(route, peer), expected) << route.to_string();
        if (expected) model.erase(known);
      }
      IpAddress asked[16];
      PeerIndex answers[16];
      for (IpAddress& each : asked)
        each = random_address();
      asked[3] = asked[2];
      routes.find_burst(asked, answers);
      for (std::size_t i = 0; i < std::size(asked); ++i) {
        ASSERT_EQ(answers[i], model_find(model, asked[i])) << asked[i].to_string();
      }
      reclaimer.run();
    }
    reclaimer.finish();
  }
}

// Run under ThreadSanitizer: one writer, one reader, no lock.
TEST(TableConcurrency, AReaderNeverSeesHalfAnEntry) {
  start_eal_for({});
  DpdkForwardingTable table({.peers = 16, .sessions = 32, .hosts = 4096, .prefixes = 16}, 1,
                            make_aead_engine());
  const TableReader reader = table.reader();
  const IpAddress address = ip("10.0.0.1");
  const IpAddress in_subnet = ip("172.16.0.1");
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> seen{0};
  ASSERT_EQ(rte_rcu_qsbr_thread_register(table.qsbr(), 0), 0);
  std::thread lcore([&] {
    rte_rcu_qsbr_thread_online(table.qsbr(), 0);
    while (!stop.load()) {
      for (const IpAddress& each : {address, in_subnet}) {
        const PeerView* const view = reader.peers.find(reader.routes.find(each));
        if (view != nullptr && view->session != nullptr) {
          // The session and its time are written together.
          EXPECT_EQ(view->send_until, view->session->sent.send_until);
          Session* const session = reader.sessions.find(view->session->local);
          EXPECT_TRUE(session == nullptr || session == view->session);
          view->session->sent.packets.add(1);
          seen.fetch_add(1, std::memory_order_relaxed);
        }
      }
      rte_rcu_qsbr_quiescent(table.qsbr(), 0);
    }
    rte_rcu_qsbr_thread_offline(table.qsbr(), 0);
  });
  std::uint32_t remote = 0;
  std::uint32_t hosts = 0;
  while (seen.load() < 2000) {
    const auto peer = table.add_peer();
    const auto session = table.reserve_session();
    if (!peer || !session) continue;  // the reader has not let go of the old ones yet
    table.publish_session({.peer = *peer, .local = *session, .remote = ++remote});
    table.use_session(*peer, *session);
    table.set_path(*peer, {endpoint("192.0.2.1:1"), 1420});
    EXPECT_TRUE(table.add_route(Prefix::host(address), *peer));
    EXPECT_TRUE(table.add_route(prefix("172.16.0.0/16"), *peer));
    // Meanwhile the table of hosts grows.
    if (hosts < 2000) {
      EXPECT_TRUE(table.add_route(Prefix::host(IpAddress::v4(0x0b000000 + hosts++)), *peer));
    }
    const std::uint64_t before = seen.load();
    for (int i = 0; i < 1000 && seen.load() == before; ++i)
      std::this_thread::yield();
    table.remove_peer(*peer);
  }
  stop = true;
  lcore.join();
  rte_rcu_qsbr_thread_unregister(table.qsbr(), 0);
  table.reclaim();
  EXPECT_EQ(table.pending(), 0u);
}

}  // namespace
}  // namespace ipop::engine
