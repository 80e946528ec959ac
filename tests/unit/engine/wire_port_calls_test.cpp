// What a lcore tells its wire besides packets: the pools, the time, and when it sleeps.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "engine/engine.hpp"
#include "engine/port/memory_port.hpp"

namespace ipop::engine {
namespace {

// Wakes nobody. What is written down here outlives the engine that owns the port.
struct Calls {
  std::atomic<int> attached{0};
  std::atomic<int> ticks{0};
  std::atomic<int> armed{0};
  std::atomic<int> disarmed{0};
  std::atomic<bool> in_order{true};
  std::atomic<bool> has_work{false};  // says so when it is armed
};

class SilentWire final : public WirePort {
 public:
  SilentWire(Calls& calls, Duration nap) : calls_(calls), nap_(nap) {}

  void attach(const PacketPools& pools) override {
    expect(pools.packets != nullptr && pools.supers != nullptr && calls_.ticks == 0);
    ++calls_.attached;
  }
  std::uint16_t rx_burst(const PacketPools&, std::span<rte_mbuf*>) noexcept override {
    expect(calls_.attached == 1 && calls_.armed == calls_.disarmed);
    return 0;
  }
  void tx_burst(std::span<rte_mbuf*>, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override {
    sent = refused = 0;
  }
  std::size_t wait_fds(std::span<int, kMaxWaitFds>) const noexcept override { return 0; }
  void tick(Instant now) noexcept override {
    expect(calls_.attached == 1 && now >= last_);
    last_ = now;
    ++calls_.ticks;
  }
  [[nodiscard]] bool arm() noexcept override {
    // It is told the time before it first sleeps.
    expect(calls_.ticks > 0 && calls_.armed == calls_.disarmed);
    ++calls_.armed;
    return !calls_.has_work;
  }
  void disarm() noexcept override {
    ++calls_.disarmed;
    expect(calls_.armed == calls_.disarmed);
  }
  [[nodiscard]] Duration longest_sleep() const noexcept override { return nap_; }
  [[nodiscard]] WireEvents events() const noexcept override {
    WireEvents counts{};
    counts[static_cast<std::size_t>(WireEvent::kConflict)] = 7;
    return counts;
  }

 private:
  void expect(bool holds) noexcept {
    if (!holds) calls_.in_order = false;
  }

  Calls& calls_;
  const Duration nap_;
  Instant last_{};
};

template <typename Condition>
bool comes_true(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

EngineSettings small() {
  return {.table = {.peers = 8, .sessions = 16, .hosts = 8, .prefixes = 8},
          .pool = {.packets = 511},
          .supers = {.packets = 31, .largest_packet = kSuperPool.largest_packet}};
}

std::unique_ptr<Engine> engine_with(Calls& calls, Duration nap) {
  const EngineSettings settings = small();
  start_eal_for(settings);
  return std::make_unique<Engine>(settings, std::make_unique<MemoryHostPort>(),
                                  std::make_unique<SilentWire>(calls, nap));
}

TEST(WirePortCalls, ComeNowAndThenForAWireThatWakesNobody) {
  Calls calls;
  const auto engine = engine_with(calls, std::chrono::milliseconds(1));
  EXPECT_EQ(calls.attached, 1);
  EXPECT_EQ(calls.ticks, 0);
  engine->start();
  EXPECT_TRUE(comes_true([&] { return engine->sleeps() >= 20; }));
  EXPECT_TRUE(comes_true([&] { return calls.ticks >= 20; }));
  engine->stop();
  EXPECT_TRUE(calls.in_order);
  EXPECT_EQ(calls.armed, calls.disarmed);
}

TEST(WirePortCalls, LetItSleepForAsLongAsTheWireCanWait) {
  Calls calls;
  const auto engine = engine_with(calls, Duration::max());
  engine->start();
  EXPECT_TRUE(comes_true([&] { return engine->sleeps() == 1; }));
  EXPECT_EQ(calls.armed, 1);
  // Only stop() wakes it.
  engine->stop();
  EXPECT_TRUE(calls.in_order);
  EXPECT_EQ(calls.disarmed, 1);
  EXPECT_LE(engine->sleeps(), 2u);
}

TEST(WirePortCalls, KeepItAwakeWhileTheWireHasSomething) {
  Calls calls;
  calls.has_work = true;
  const auto engine = engine_with(calls, Duration::max());
  engine->start();
  EXPECT_TRUE(comes_true([&] { return calls.disarmed >= 3; }));
  EXPECT_EQ(engine->sleeps(), 0u);
  calls.has_work = false;
  EXPECT_TRUE(comes_true([&] { return engine->sleeps() == 1; }));
  engine->stop();
  EXPECT_TRUE(calls.in_order);
}

TEST(WirePortCalls, GiveWhatTheWireCounts) {
  Calls calls;
  const auto engine = engine_with(calls, Duration::max());
  const WireEvents events = engine->wire_events();
  EXPECT_EQ(events[static_cast<std::size_t>(WireEvent::kConflict)], 7u);
  EXPECT_EQ(events[static_cast<std::size_t>(WireEvent::kEcho)], 0u);
}

TEST(WirePortCalls, AreNotNeededByOthers) {
  MemoryWirePort wire;
  EXPECT_TRUE(wire.takes_trains());
  EXPECT_TRUE(wire.arm());
  EXPECT_EQ(wire.longest_sleep(), Duration::max());
  EXPECT_EQ(wire.events(), WireEvents{});
  EXPECT_FALSE(wire.open_socket());
  wire.unlink_socket(1)();
}

}  // namespace
}  // namespace ipop::engine
