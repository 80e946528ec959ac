// pps: what the engine costs a packet on one core, next to the AEAD alone in the same run. Prints a
// table and then the same as JSON, one object.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "engine/engine.hpp"
#include "perf/pps/aead_alone.hpp"
#include "perf/pps/engine_between.hpp"

namespace ipop::perf {
namespace {

nlohmann::json measure(const Workload& workload) {
  const Figures aead = measure_aead(workload);
  const Figures engine = measure_engine(workload);
  fmt::print(
      "{:<18} {:>6} {:>6}   {:>6.1f} {:>6.1f} {:>+6.1f} {:>6.2f}   {:>6.1f} {:>6.1f} {:>+6.1f} "
      "{:>6.2f}\n",
      name(workload.suite), workload.peers, workload.size, aead.out, engine.out,
      engine.out - aead.out, 1e3 / engine.out, aead.in, engine.in, engine.in - aead.in,
      1e3 / engine.in);
  std::fflush(stdout);
  return {{"suite", name(workload.suite)}, {"peers", workload.peers}, {"bytes", workload.size},
          {"seal_ns", aead.out},           {"encap_ns", engine.out},  {"open_ns", aead.in},
          {"decap_ns", engine.in}};
}

void run() {
  engine::EngineSettings settings;
  settings.memory_mb = 128;
  engine::start_eal_for(settings);
  const auto aead = engine::make_aead_engine();
  fmt::print("{}, burst {}, ns a packet (best of {} batches), inner bytes\n", aead->name(),
             engine::kBurst, kBatches);
  fmt::print("{:<18} {:>6} {:>6}   {:>6} {:>6} {:>6} {:>6}   {:>6} {:>6} {:>6} {:>6}\n", "suite",
             "peers", "bytes", "seal", "encap", "more", "Mpps", "open", "decap", "more", "Mpps");
  nlohmann::json rows = nlohmann::json::array();
  for (const auto suite : {engine::AeadSuite::kAes256Gcm, engine::AeadSuite::kChaCha20Poly1305}) {
    if ((aead->suites() >> static_cast<unsigned>(suite) & 1) == 0) continue;
    for (const std::uint32_t peers : {1u, 1000u}) {
      for (const std::uint32_t size : {64u, 512u, 1400u})
        rows.push_back(measure({suite, peers, size}));
    }
  }
  const nlohmann::json all{{"aead", aead->name()}, {"burst", engine::kBurst}, {"rows", rows}};
  fmt::print("{}\n", all.dump());
}

}  // namespace
}  // namespace ipop::perf

int main() {
  try {
    ipop::perf::run();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "pps: {}\n", error.what());
    return 1;
  }
}
