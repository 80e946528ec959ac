// Which of intel-ipsec-mb's forms for ChaCha20-Poly1305 is the fastest: jobs one by one, jobs in a
// burst, either of them checked by the library or not, or the direct calls. Sealing in place, one
// key, cache resident. IpsecMbAead uses the unchecked burst because of what this prints.
#define NO_COMPAT_IMB_API_053
#include <benchmark/benchmark.h>
#include <intel-ipsec-mb.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

constexpr std::size_t kMostPackets = 32;

struct Free {
  void operator()(IMB_MGR* mb) const noexcept { free_mb_mgr(mb); }
};

struct Bench {
  Bench() : mb(alloc_mb_mgr(0)) {
    if (mb) init_mb_mgr_auto(mb.get(), nullptr);
  }
  [[nodiscard]] bool starts() const { return mb && imb_get_errno(mb.get()) == 0; }

  void fill(IMB_JOB& job, std::size_t i) {
    job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.chain_order = IMB_ORDER_CIPHER_HASH;
    job.key_len_in_bytes = key.size();
    job.iv_len_in_bytes = 12;
    job.auth_tag_output_len_in_bytes = 16;
    job.cipher_start_src_offset_in_bytes = 0;
    job.hash_start_src_offset_in_bytes = 0;
    job.u.CHACHA20_POLY1305.aad = nullptr;
    job.u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
    fill_what_differs(job, i);
  }
  void fill_what_differs(IMB_JOB& job, std::size_t i) {
    job.enc_keys = job.dec_keys = key.data();
    job.src = job.dst = packets[i].data();
    job.msg_len_to_cipher_in_bytes = length;
    job.msg_len_to_hash_in_bytes = length;
    job.iv = nonces[i].data();
    job.auth_tag_output = packets[i].data() + length;
  }

  std::unique_ptr<IMB_MGR, Free> mb;
  std::array<std::uint8_t, 32> key{1, 2, 3};
  std::array<std::array<std::uint8_t, 2304>, kMostPackets> packets{};
  std::array<std::array<std::uint8_t, 12>, kMostPackets> nonces{};
  std::uint64_t length = 0;
  int filled = 0;
};

void jobs_checked(Bench& bench, std::size_t burst) {
  for (std::size_t i = 0; i < burst; ++i) {
    bench.fill(*IMB_GET_NEXT_JOB(bench.mb.get()), i);
    benchmark::DoNotOptimize(IMB_SUBMIT_JOB(bench.mb.get()));
  }
}

void jobs_unchecked(Bench& bench, std::size_t burst) {
  for (std::size_t i = 0; i < burst; ++i) {
    bench.fill(*IMB_GET_NEXT_JOB(bench.mb.get()), i);
    benchmark::DoNotOptimize(IMB_SUBMIT_JOB_NOCHECK(bench.mb.get()));
  }
}

// Relies on jobs that come back as they were left, the first turns around the queue apart.
void jobs_half_filled(Bench& bench, std::size_t burst) {
  const bool whole = bench.filled < 2 * IMB_MAX_JOBS;
  for (std::size_t i = 0; i < burst; ++i) {
    IMB_JOB& job = *IMB_GET_NEXT_JOB(bench.mb.get());
    whole ? bench.fill(job, i) : bench.fill_what_differs(job, i);
    benchmark::DoNotOptimize(IMB_SUBMIT_JOB_NOCHECK(bench.mb.get()));
    bench.filled += static_cast<int>(whole);
  }
}

void burst_checked(Bench& bench, std::size_t burst) {
  std::array<IMB_JOB*, kMostPackets> jobs;
  const auto count = static_cast<std::uint32_t>(burst);
  IMB_GET_NEXT_BURST(bench.mb.get(), count, jobs.data());
  for (std::size_t i = 0; i < burst; ++i)
    bench.fill(*jobs[i], i);
  benchmark::DoNotOptimize(IMB_SUBMIT_BURST(bench.mb.get(), count, jobs.data()));
}

void burst_unchecked(Bench& bench, std::size_t burst) {
  std::array<IMB_JOB*, kMostPackets> jobs;
  const auto count = static_cast<std::uint32_t>(burst);
  IMB_GET_NEXT_BURST(bench.mb.get(), count, jobs.data());
  for (std::size_t i = 0; i < burst; ++i)
    bench.fill(*jobs[i], i);
  benchmark::DoNotOptimize(IMB_SUBMIT_BURST_NOCHECK(bench.mb.get(), count, jobs.data()));
}

void direct(Bench& bench, std::size_t burst) {
  chacha20_poly1305_context_data context;
  IMB_MGR* const mb = bench.mb.get();
  for (std::size_t i = 0; i < burst; ++i) {
    std::uint8_t* const at = bench.packets[i].data();
    IMB_CHACHA20_POLY1305_INIT(mb, bench.key.data(), &context, bench.nonces[i].data(), nullptr, 0);
    IMB_CHACHA20_POLY1305_ENC_UPDATE(mb, bench.key.data(), &context, at, at, bench.length);
    IMB_CHACHA20_POLY1305_ENC_FINALIZE(mb, &context, at + bench.length, 16);
  }
}

template <void (*kForm)(Bench&, std::size_t)>
void BM_ChachaForm(benchmark::State& state) {
  const auto bench = std::make_unique<Bench>();
  if (!bench->starts()) {
    state.SkipWithError("ipsec-mb does not start on this processor");
    return;
  }
  bench->length = static_cast<std::uint64_t>(state.range(0));
  const auto burst = static_cast<std::size_t>(state.range(1));
  for (auto _ : state)
    kForm(*bench, burst);
  state.counters["packet"] =
      benchmark::Counter(static_cast<double>(burst), benchmark::Counter::kIsIterationInvariantRate |
                                                         benchmark::Counter::kInvert);
}

// The best of the repetitions is what a shared machine says of the code.
double best(const std::vector<double>& of) {
  return *std::min_element(of.begin(), of.end());
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"bytes", "burst"})->ArgsProduct({{64, 512, 1400}, {1, 32}});
  bench->ComputeStatistics("best", best, benchmark::kTime);
}

BENCHMARK(BM_ChachaForm<jobs_checked>)->Apply(shapes);
BENCHMARK(BM_ChachaForm<jobs_unchecked>)->Apply(shapes);
BENCHMARK(BM_ChachaForm<jobs_half_filled>)->Apply(shapes);
BENCHMARK(BM_ChachaForm<burst_checked>)->Apply(shapes);
BENCHMARK(BM_ChachaForm<burst_unchecked>)->Apply(shapes);
BENCHMARK(BM_ChachaForm<direct>)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
