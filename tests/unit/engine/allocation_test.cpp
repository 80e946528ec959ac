// A program of its own, as it counts every allocation of the process: the burst path makes none.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/engine/engine_node.hpp"

namespace {

std::atomic<std::uint64_t> g_allocations{0};

}  // namespace

extern "C" void* __libc_malloc(std::size_t size);

// All of the C and C++ libraries' allocations end here.
extern "C" void* malloc(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}

namespace ipop::engine {
namespace {

TEST(BurstPath, AllocatesNothing) {
  EnginePair pair;
  const IpAddress stranger = ip("10.0.0.77");
  std::uint64_t allocated = 0;
  const auto turn = [&](EngineNode& node) {
    const std::uint64_t before = g_allocations.load();
    node.turn();
    allocated += g_allocations.load() - before;
  };
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) {
      pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 100)));
    }
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, pair.bob4, 1440)));
    pair.alice.from_host(frame_of(ip_packet(pair.alice4, stranger)));
    pair.alice.from_wire(Bytes(100), endpoint("203.0.113.1:1"));
    pair.alice.orders.send_sealed(pair.bob_at_alice.session, Bytes{0x10});
    turn(pair.alice);
    pair.alice.orders.reject_staged(stranger, RejectReason::kHostUnreachable);
    turn(pair.alice);
    carry(pair.alice, pair.bob);
    turn(pair.bob);
    (void)pair.bob.to_host();
    (void)pair.alice.to_host();
    (void)pair.bob.punts();
    (void)pair.alice.punts();
  }
  EXPECT_GT(g_allocations.load(), 1000u) << "the counter does not count";
  EXPECT_EQ(allocated, 0u);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 1000u);
}

// Flows that come and go, rules asked again and again, denied packets.
TEST(BurstPath, AllocatesNothingBehindAFirewall) {
  EnginePair pair;
  conf::Firewall rules{.inbound = {{.action = conf::FirewallAction::kDeny, .ports = {{0, 99}}}},
                       .outbound = {{.action = conf::FirewallAction::kDeny, .ports = {{0, 49}}}}};
  const auto nobody = [](const firewall::RuleSet&, PeerIndex) { return firewall::PeerMarks{}; };
  std::uint64_t allocated = 0;
  const auto turn = [&](EngineNode& node) {
    const std::uint64_t before = g_allocations.load();
    node.turn();
    allocated += g_allocations.load() - before;
  };
  for (int round = 0; round < 20; ++round) {
    pair.alice.table.set_firewall(rules, nobody);
    pair.bob.table.set_firewall(rules, nobody);
    for (std::uint16_t port = 0; port < 200; ++port)
      pair.alice.from_host(frame_of(build({.to_port = port})));
    turn(pair.alice);
    carry(pair.alice, pair.bob);
    turn(pair.bob);
    (void)pair.bob.to_host();
    (void)pair.alice.to_host();
    (void)pair.bob.punts();
  }
  EXPECT_EQ(allocated, 0u);
  EXPECT_EQ(pair.bob.count(Fate::kDelivered), 2000u);
  EXPECT_EQ(pair.alice.count(Fate::kDropFirewallOut), 1000u);
  EXPECT_EQ(pair.bob.count(Fate::kDropFirewallIn), 1000u);
}

// Segmented, sealed, opened as trains, merged again; and what waits first.
TEST(BurstPath, AllocatesNothingForSuperPackets) {
  for (const bool partial : {false, true}) {
    EnginePair pair({.partial_checksums = partial});
    PacketSpec spec{.payload = Bytes(40'000, 7), .checksum = Checksum::kPartial};
    PacketSpec datagrams = spec;
    datagrams.is_tcp = false;
    const IpAddress stranger = ip("10.0.0.77");
    std::uint64_t allocated = 0;
    const auto turn = [&](EngineNode& node) {
      const std::uint64_t before = g_allocations.load();
      node.turn();
      allocated += g_allocations.load() - before;
    };
    std::uint64_t sent = 0;
    for (int round = 0; round < 20; ++round) {
      for (const std::size_t each : {std::size_t{1380}, std::size_t{200}, std::size_t{2000}}) {
        pair.alice.from_host(marked_frame(spec, each));
        pair.alice.from_host(marked_frame(datagrams, each));
        if (each < 1400) sent += 2 * ((40'000 + each - 1) / each);
      }
      spec.to = stranger;
      pair.alice.from_host(marked_frame(spec, 1000));
      spec.to = pair.bob4;
      turn(pair.alice);
      pair.alice.orders.reject_staged(stranger, RejectReason::kHostUnreachable);
      turn(pair.alice);
      carry(pair.alice, pair.bob);
      turn(pair.bob);
      (void)pair.bob.to_host();
      (void)pair.alice.to_host();
      (void)pair.bob.punts();
      (void)pair.alice.punts();
    }
    EXPECT_EQ(allocated, 0u);
    EXPECT_EQ(pair.bob.count(Fate::kDelivered), sent);
    EXPECT_GT(pair.alice.count(Fate::kDropHostTooBig), 0u);
    EXPECT_GT(pair.alice.count(Fate::kDropUnreachable), 0u);
  }
}

}  // namespace
}  // namespace ipop::engine
