// pps [--json FILE]: what the engine costs on one core, next to the AEAD alone in the same run. The
// two take turns, batch by batch, so that a noisy moment hits both: the ratio is the median of the
// ratios of such pairs. Prints a table.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "engine/engine.hpp"
#include "perf/pps/aead_alone.hpp"
#include "perf/pps/engine_between.hpp"
#include "perf/pps/engine_relay.hpp"
#include "perf/pps/forwarding.hpp"
#include "perf/pps/lcore_scaling.hpp"
#include "perf/pps/memory_wire.hpp"
#include "perf/pps/ring_wire.hpp"

namespace ipop::perf {
namespace {

double best(const std::vector<double>& values) {
  return *std::ranges::min_element(values);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double median_ratio(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios(of.size());
  std::ranges::transform(of, to, ratios.begin(), [](double a, double b) { return a / b; });
  return median(ratios);
}

nlohmann::json compare(const Stopwatch& alone, const Stopwatch& engine) {
  const auto floor = alone.batches();
  const auto whole = engine.batches();
  return {{"aead_ns", {{"best", best(floor)}, {"median", median(floor)}}},
          {"engine_ns", {{"best", best(whole)}, {"median", median(whole)}}},
          {"ratio", {{"best", best(whole) / best(floor)}, {"median", median_ratio(whole, floor)}}}};
}

void show(const nlohmann::json& row) {
  fmt::print("{:<9} {:<18} {:>6} {:>6} {:>6} ", row["wire"].get<std::string_view>(),
             row["suite"].get<std::string_view>(), row["peers"].get<unsigned>(),
             row["idle"].get<unsigned>(), row["bytes"].get<unsigned>());
  for (const char* const way : {"encap", "decap"}) {
    const auto& figures = row[way];
    fmt::print("  {:>8.1f} {:>8.1f} {:>5.2f}", figures["aead_ns"]["median"].get<double>(),
               figures["engine_ns"]["median"].get<double>(),
               figures["ratio"]["median"].get<double>());
  }
  fmt::print("\n");
  std::fflush(stdout);
}

template <typename Wire>
nlohmann::json measure(const Workload& workload) {
  AeadAlone alone(workload);
  EngineBetween<Wire> engine(workload);
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    alone.run_batch();
    engine.run_batch();
  }
  engine.must_be_complete();
  nlohmann::json row{{"wire", Wire::kName},
                     {"suite", name(workload.suite)},
                     {"peers", workload.peers},
                     {"idle", workload.idle},
                     {"bytes", workload.size},
                     {"super", workload.supers},
                     {"encap", compare(alone.seal(), engine.encap())},
                     {"decap", compare(alone.open(), engine.decap())}};
  show(row);
  return row;
}

template <typename Wire>
nlohmann::json measure_relay(const Workload& workload) {
  EngineRelay<Wire> engine(workload);
  for (std::uint32_t batch = 0; batch < kBatches; ++batch)
    engine.run_batch();
  engine.must_be_complete();
  const auto figures = engine.relay().batches();
  fmt::print("{:<9} {:<18} {:>6} {:>6} {:>6}   {:>8.1f}\n", Wire::kName, "relay", workload.peers, 0,
             workload.supers ? kSegments * kSegmentSize : workload.size, median(figures));
  return {{"wire", Wire::kName},
          {"pairs", workload.peers},
          {"bytes", workload.supers ? kSegments * kSegmentSize : workload.size},
          {"super", workload.supers},
          {"relay_ns", {{"best", best(figures)}, {"median", median(figures)}}}};
}

// What two lcores carry of one peer's packets, over what one does.
nlohmann::json measure_lcores(const Workload& workload) {
  constexpr unsigned kLcores = 2;
  const auto rates = compare_lcores(workload, kLcores);
  const double encap = median_ratio(rates[1].encap, rates[0].encap);
  const double decap = median_ratio(rates[1].decap, rates[0].decap);
  fmt::print(
      "{} lcores, {} {:>5} bytes: encap {:.2f} of one's {:.1f} M/s, decap {:.2f} of {:.1f}\n",
      kLcores, name(workload.suite), workload.size, encap, median(rates[0].encap) / 1e6, decap,
      median(rates[0].decap) / 1e6);
  return {{"lcores", kLcores},
          {"suite", name(workload.suite)},
          {"bytes", workload.size},
          {"encap_mpps", {median(rates[0].encap) / 1e6, median(rates[1].encap) / 1e6}},
          {"decap_mpps", {median(rates[0].decap) / 1e6, median(rates[1].decap) / 1e6}},
          {"encap_times", encap},
          {"decap_times", decap}};
}

std::vector<Workload> relay_workloads() {
  std::vector<Workload> all;
  for (const std::uint32_t pairs : {1u, 1000u}) {
    for (const std::uint32_t size : {104u, 1440u})
      all.push_back({.peers = pairs, .size = size});
  }
  all.push_back({.supers = true});
  return all;
}

std::vector<Workload> workloads(engine::AeadSuite suite) {
  std::vector<Workload> all;
  for (const std::uint32_t peers : {1u, 1000u}) {
    for (const std::uint32_t size : {64u, 512u, 1400u})
      all.push_back({.suite = suite, .peers = peers, .size = size});
  }
  all.push_back({.suite = suite, .size = kSuperSize, .supers = true});
  if (suite == engine::AeadSuite::kAes256Gcm) {
    for (const std::uint32_t idle : {1u, 1000u, 10'000u, 100'000u})
      all.push_back({.suite = suite, .idle = idle, .size = 512});
  }
  return all;
}

nlohmann::json run() {
  engine::EngineSettings settings;
  settings.memory_mb = 512;  // reserved; what is used is what a workload needs
  engine::start_eal_for(settings);
  const auto aead = engine::make_aead_engine();
  fmt::print("{}, bursts of {}; medians of {} batches, ns a packet or super-packet\n", aead->name(),
             engine::kBurst, kBatches - 1);
  fmt::print("{:<9} {:<18} {:>6} {:>6} {:>6}   {:>8} {:>8} {:>5}  {:>8} {:>8} {:>5}\n", "wire",
             "suite", "peers", "idle", "bytes", "seal", "encap", "÷", "open", "decap", "÷");
  nlohmann::json rows = nlohmann::json::array();
  for (const auto suite : {engine::AeadSuite::kAes256Gcm, engine::AeadSuite::kChaCha20Poly1305}) {
    if ((aead->suites() >> static_cast<unsigned>(suite) & 1) == 0) continue;
    for (const Workload& workload : workloads(suite))
      rows.push_back(measure<MemoryWire>(workload));
    // A card has no trains, and silent peers are no business of the wire's.
    for (const Workload& workload : workloads(suite)) {
      if (!workload.supers && workload.idle == 0) rows.push_back(measure<RingWire>(workload));
    }
  }
  nlohmann::json relays = nlohmann::json::array();
  for (const Workload& workload : relay_workloads())
    relays.push_back(measure_relay<MemoryWire>(workload));
  for (const Workload& workload : relay_workloads()) {
    if (!workload.supers) relays.push_back(measure_relay<RingWire>(workload));
  }
  nlohmann::json lcores = nlohmann::json::array();
  for (const std::uint32_t size : {64u, 512u, 1400u})
    lcores.push_back(measure_lcores({.size = size}));
  const double floor_ns = median(forwarding_ns());
  fmt::print("{:<9} {:<18} {:>6} {:>6} {:>6}   {:>8.1f}\n", RingWire::kName, "forwarding alone", 1,
             0, 64, floor_ns);
  return {{"aead", aead->name()},
          {"burst", engine::kBurst},
          {"batches", kBatches - 1},
          {"segments", kSegments},
          {"segment_size", kSegmentSize},
          {"rows", rows},
          {"relay", relays},
          {"lcores", lcores},
          {"forwarding_ns", floor_ns}};
}

}  // namespace
}  // namespace ipop::perf

int main(int argc, char** argv) {
  const bool to_file = argc == 3 && std::string_view(argv[1]) == "--json";
  if (argc != 1 && !to_file) {
    fmt::print(stderr, "usage: pps [--json FILE]\n");
    return 2;
  }
  try {
    const auto figures = ipop::perf::run();
    if (to_file) {
      std::ofstream into(argv[2]);
      into << figures.dump(2) << '\n';
      if (!into.flush()) throw std::runtime_error(std::string("cannot write ") + argv[2]);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "pps: {}\n", error.what());
    return 1;
  }
}
