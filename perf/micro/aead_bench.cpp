// What the AEAD costs per packet: every engine and suite of this machine, sealing and opening, 64
// to 8900 bytes, alone and in bursts of one key. In 64 buffers at most, at least 2304 bytes apart,
// so cache resident; "cold" in 4096, that no cache near the core holds. Sealing is in place;
// opening is not, so that each turn opens an authentic packet (libsodium does no more than look at
// the tag of others). "packet" is the time of one. On a machine with other work, only what was
// measured in turns can be compared:
//   aead_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=9
//     --benchmark_min_time=0.01 --benchmark_filter=gcm/1400/
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"

namespace ipop::engine {
namespace {

// No multiple of 4096, which would put all buffers into the same few lines of the cache.
constexpr std::size_t stride_of(std::uint32_t length) {
  return (length + kTagSize) / 2304 * 2304 + 2304;
}
constexpr std::size_t kFar = 4096;

enum class Work { kSeal, kOpen };

struct Shape {
  Work work;
  AeadSuite suite;
  std::uint32_t length;
  std::size_t burst;
  bool cold;
};

void run(benchmark::State& state, AeadEngine& engine, const Shape& shape) {
  AeadKey key;
  engine.expand(shape.suite, Secret<32>::random(), key);
  const std::size_t stride = stride_of(shape.length);
  const std::size_t buffers = shape.cold ? kFar : shape.burst;
  std::vector<std::uint8_t> sealed(stride * buffers);
  std::vector<std::uint8_t> opened(stride * buffers);
  std::vector<AeadJob> jobs;
  for (std::size_t i = 0; i < buffers; ++i) {
    std::uint8_t* const at = &sealed[i * stride];
    jobs.push_back({&key, at, at, shape.length, i});
  }
  engine.seal_burst(jobs);
  if (shape.work == Work::kOpen) {
    for (std::size_t i = 0; i < buffers; ++i)
      jobs[i].out = &opened[i * stride];
    engine.open_burst(jobs);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    const std::span<AeadJob> burst(&jobs[at], shape.burst);
    shape.work == Work::kSeal ? engine.seal_burst(burst) : engine.open_burst(burst);
    benchmark::ClobberMemory();
    at = at + 2 * shape.burst > buffers ? 0 : at + shape.burst;
  }
  for (const AeadJob& job : jobs) {
    if (shape.work == Work::kOpen && !job.ok) state.SkipWithError("an authentic packet is refused");
  }
  const auto packets = static_cast<double>(shape.burst);
  state.counters["packet"] = benchmark::Counter(
      packets, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(shape.burst * shape.length));
}

void add(const std::string& engine_name, const std::shared_ptr<AeadEngine>& engine,
         const Shape& shape) {
  const std::string title = std::string(shape.work == Work::kSeal ? "seal/" : "open/") +
                            engine_name + "/" + name(shape.suite) + "/" +
                            std::to_string(shape.length) + "/burst:" + std::to_string(shape.burst) +
                            (shape.cold ? "/cold" : "");
  benchmark::RegisterBenchmark(
      title.c_str(), [engine, shape](benchmark::State& state) { run(state, *engine, shape); });
}

void add_all(const std::string& engine_name, const std::shared_ptr<AeadEngine>& engine,
             AeadSuite suite) {
  for (const Work work : {Work::kSeal, Work::kOpen}) {
    for (const std::uint32_t length : {64u, 128u, 256u, 512u, 1400u, 8900u}) {
      for (const std::size_t burst : {1u, 2u, 3u, 4u, 8u, 16u, 32u, 64u})
        add(engine_name, engine, {work, suite, length, burst, false});
      add(engine_name, engine, {work, suite, length, 32, true});
    }
  }
}

}  // namespace
}  // namespace ipop::engine

int main(int argc, char** argv) {
  using namespace ipop::engine;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  for (const char* wanted : {"avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"}) {
    try {
      const std::shared_ptr<AeadEngine> engine = make_aead_engine(wanted);
      for (const AeadSuite suite : {AeadSuite::kAes256Gcm, AeadSuite::kChaCha20Poly1305}) {
        if ((engine->suites() >> static_cast<unsigned>(suite) & 1) != 0)
          add_all(wanted, engine, suite);
      }
    } catch (const std::runtime_error& error) {
      benchmark::AddCustomContext(wanted, error.what());
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
