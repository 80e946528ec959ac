// What one look at the replay window costs, by how the counters arrive. One window stays in the
// nearest cache; with 16,384 of them (16 MiB) in random order each look is a miss, as with as many
// busy peers.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "engine/path/replay_window.hpp"

namespace ipop::engine {
namespace {

void BM_ReplayWindowInOrder(benchmark::State& state) {
  ReplayWindow window;
  std::uint64_t counter = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(window.check_and_set(counter++));
}
BENCHMARK(BM_ReplayWindowInOrder);

// Every datagram overtakes its neighbour: half of them jump by two, half come late by one.
void BM_ReplayWindowSwappedPairs(benchmark::State& state) {
  ReplayWindow window;
  std::uint64_t counter = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(window.check_and_set(counter++ ^ 1));
}
BENCHMARK(BM_ReplayWindowSwappedPairs);

// The range is the length of the hole in front of each counter.
void BM_ReplayWindowJump(benchmark::State& state) {
  ReplayWindow window;
  const auto step = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t counter = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(window.check_and_set(counter += step));
}
BENCHMARK(BM_ReplayWindowJump)->Arg(2)->Arg(64)->Arg(1000)->Arg(8191)->Arg(100'000);

void BM_ReplayWindowManySessions(benchmark::State& state) {
  const auto sessions = static_cast<std::size_t>(state.range(0));
  std::vector<ReplayWindow> windows(sessions);
  std::mt19937 random(1);
  std::vector<std::uint32_t> order(1 << 16);
  for (auto& session : order)
    session = static_cast<std::uint32_t>(random() % sessions);
  std::uint64_t turn = 0;
  for (auto _ : state) {
    ReplayWindow& window = windows[order[turn % order.size()]];
    benchmark::DoNotOptimize(window.check_and_set(turn++));
  }
}
BENCHMARK(BM_ReplayWindowManySessions)->Arg(1)->Arg(1000)->Arg(16'384);

}  // namespace
}  // namespace ipop::engine

BENCHMARK_MAIN();
