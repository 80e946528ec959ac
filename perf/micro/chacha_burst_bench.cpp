// ChaCha20-Poly1305 of a burst: the kernel and ipsec-mb's jobs in the same run. Each size
// and burst in place and out of place, sealing and opening, with one key and with a key for each
// packet; in 64 buffers, and in 4096 that no cache near the core holds. "packet" is the time of
// one.
//   chacha_burst_bench --benchmark_filter='kernel|mb' --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"
#include "engine/aead/avx512/chacha_poly.hpp"
#include "engine/aead/chacha256/chacha_poly.hpp"

namespace ipop::engine {
namespace {

struct Shape {
  bool kernel;
  bool seal;
  bool in_place;
  bool one_key;
  std::uint32_t length;
  std::size_t burst;
  std::size_t buffers;
  // Segments of a super-packet: one behind another, with 40 bytes of headers elsewhere.
  bool front = false;

  [[nodiscard]] std::string title() const {
    return std::string(kernel ? "kernel/" : "mb/") + (seal ? "seal/" : "open/") +
           (front      ? "front/"
            : in_place ? "in_place/"
                       : "out_of_place/") +
           (one_key ? "one_key/" : "keys/") + (buffers > 64 ? "cold/" : "warm/") +
           std::to_string(length) + "/burst:" + std::to_string(burst);
  }
};

constexpr std::uint32_t kFront = 40;

bool runs_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

class Bursts {
 public:
  Bursts(AeadEngine& engine, const Shape& shape)
      : engine_(engine), shape_(shape), keys_(shape.one_key ? 1 : shape.burst) {
    for (AeadKey& key : keys_)
      engine.expand(AeadSuite::kChaCha20Poly1305, Secret<32>::random(), key);
    const std::size_t stride = (shape.length + kTagSize + 255) / 256 * 256 + 256;
    in_.resize(shape.buffers * stride);
    out_.resize(shape.buffers * stride);
    for (std::size_t i = 0; i < shape.buffers; ++i) {
      std::uint8_t* const in =
          shape.front ? &in_[kFront + i * (shape.length - kFront)] : &in_[i * stride];
      std::uint8_t* const out = shape.front      ? &out_[i * (shape.length + 2 * kTagSize)]
                                : shape.in_place ? in
                                                 : &out_[i * stride];
      jobs_.push_back({&keys_[i % keys_.size()], in, out, shape.length, i});
      if (!shape.front) continue;
      jobs_.back().front = front_;
      jobs_.back().front_length = kFront;
    }
    work_.resize(shape.burst);
  }

  // A copy, as an engine may change the jobs that it gets.
  void turn() {
    if (at_ + shape_.burst > jobs_.size()) at_ = 0;
    std::copy_n(jobs_.begin() + static_cast<std::ptrdiff_t>(at_), shape_.burst, work_.begin());
    at_ += shape_.burst;
    if (shape_.kernel) {
      if (runs_avx512()) {
        shape_.seal ? avx512::seal_chacha_poly(work_.data(), work_.size())
                    : avx512::open_chacha_poly(work_.data(), work_.size());
      } else {
        shape_.seal ? chacha256::seal_chacha_poly(work_.data(), work_.size())
                    : chacha256::open_chacha_poly(work_.data(), work_.size());
      }
    } else {
      shape_.seal ? engine_.seal_burst(work_) : engine_.open_burst(work_);
    }
  }

 private:
  AeadEngine& engine_;
  Shape shape_;
  std::vector<AeadKey> keys_;
  std::vector<std::uint8_t> in_;
  std::vector<std::uint8_t> out_;
  std::uint8_t front_[kFront]{};
  std::vector<AeadJob> jobs_;
  std::vector<AeadJob> work_;
  std::size_t at_ = 0;
};

void run(benchmark::State& state, AeadEngine& engine, const Shape& shape) {
  Bursts bursts(engine, shape);
  for (auto _ : state) {
    bursts.turn();
    benchmark::ClobberMemory();
  }
  const auto packets = static_cast<double>(shape.burst);
  state.counters["packet"] = benchmark::Counter(
      packets, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void add(const std::shared_ptr<AeadEngine>& engine, Shape shape) {
  for (const bool kernel : {true, false}) {
    shape.kernel = kernel;
    benchmark::RegisterBenchmark(shape.title().c_str(), [engine, shape](benchmark::State& state) {
      run(state, *engine, shape);
    });
  }
}

void add_all(const std::shared_ptr<AeadEngine>& engine) {
  for (const std::uint32_t length : {64u, 128u, 256u, 512u, 1400u, 8900u}) {
    for (const std::size_t burst : {1u, 2u, 3u, 4u, 8u, 16u, 32u, 64u}) {
      for (const std::size_t buffers : {64u, 4096u}) {
        for (unsigned form = 0; form < 8; ++form) {
          add(engine,
              {true, (form & 1) == 0, (form & 2) == 0, (form & 4) == 0, length, burst, buffers});
        }
      }
    }
  }
  for (const std::size_t burst : {44u, 64u})
    add(engine, {true, true, false, true, 1440, burst, burst, true});
}

bool runs_here() {
  return runs_avx512() || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"));
}

}  // namespace
}  // namespace ipop::engine

int main(int argc, char** argv) {
  using namespace ipop::engine;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
  try {
    const std::shared_ptr<AeadEngine> engine = make_aead_engine("ipsec-mb");
    if (runs_here()) {
      add_all(engine);
    } else {
      benchmark::AddCustomContext("kernel", "this processor cannot run it");
    }
  } catch (const std::runtime_error& error) {
    benchmark::AddCustomContext("ipsec-mb", error.what());
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
