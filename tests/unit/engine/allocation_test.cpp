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

}  // namespace
}  // namespace ipop::engine
