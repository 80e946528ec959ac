// What it costs to find the peers for a burst of 32 addresses, by the number of hosts in the table:
// all at random (with a million of them each is a cache miss), and all the same, as bursts mostly
// are. Once as encap asks, through the routes, and once the hash table alone.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "engine/engine.hpp"
#include "engine/table/routes.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kAsk = 32;
static_assert(kAsk <= HostTable::kMaxBulk);

IpAddress host(std::uint32_t i) {
  return IpAddress::v4(0x0a000000 + i);
}

struct Tables {
  explicit Tables(std::uint32_t size) : routes(size, 16, reclaimer), hosts(size, reclaimer) {
    for (std::uint32_t i = 0; i < size; ++i) {
      if (!routes.add(Prefix::host(host(i)), PeerIndex{i}) || !hosts.add(host(i), PeerIndex{i})) {
        throw std::runtime_error("the table is full");
      }
    }
  }

  Reclaimer reclaimer{1};
  Routes routes;
  HostTable hosts;
};

// One at a time: a million hosts take 300 MB.
Tables& tables_of(std::uint32_t size) {
  static std::unique_ptr<Tables> made;
  static std::uint32_t made_for = 0;
  if (made_for != size) {
    made.reset();
    made = std::make_unique<Tables>(size);
    made_for = size;
  }
  return *made;
}

// Many bursts one behind another.
std::vector<IpAddress> questions(std::uint32_t size, bool random) {
  std::vector<IpAddress> all(std::size_t{1} << 17);
  std::mt19937 source(1);
  for (IpAddress& each : all)
    each = host(random ? static_cast<std::uint32_t>(source() % size) : size / 2);
  return all;
}

template <typename Find>
void find_bursts(benchmark::State& state, bool random, Find find) {
  const auto size = static_cast<std::uint32_t>(state.range(0));
  const Tables& tables = tables_of(size);
  const std::vector<IpAddress> asked = questions(size, random);
  PeerIndex found[kAsk];
  std::size_t at = 0;
  for (auto _ : state) {
    find(tables, std::span(asked).subspan(at, kAsk), found);
    benchmark::DoNotOptimize(found);
    if (found[0] == kNoPeer) state.SkipWithError("a host was not found");
    at = (at + kAsk) % asked.size();
  }
  state.counters["address"] = benchmark::Counter(
      kAsk, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void routes(benchmark::State& state, bool random) {
  find_bursts(state, random,
              [](const Tables& tables, std::span<const IpAddress> asked, PeerIndex* found) {
                tables.routes.find_burst(asked, found);
              });
}

void host_table(benchmark::State& state, bool random) {
  find_bursts(state, random,
              [](const Tables& tables, std::span<const IpAddress> asked, PeerIndex* found) {
                const IpAddress* pointers[kAsk];
                for (std::size_t i = 0; i < kAsk; ++i)
                  pointers[i] = &asked[i];
                tables.hosts.find_bulk(pointers, found);
              });
}

// By size, so that each pair of tables is built once.
void add_all() {
  for (const std::int64_t size : {1000, 100'000, 1'000'000}) {
    benchmark::RegisterBenchmark("routes/random", routes, true)->Arg(size);
    benchmark::RegisterBenchmark("routes/same", routes, false)->Arg(size);
    benchmark::RegisterBenchmark("host_table/random", host_table, true)->Arg(size);
    benchmark::RegisterBenchmark("host_table/same", host_table, false)->Arg(size);
  }
}

}  // namespace
}  // namespace ipop::engine

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  ipop::engine::EngineSettings settings;
  settings.memory_mb = 1024;  // reserved, not touched
  ipop::engine::start_eal_for(settings);
  ipop::engine::add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
