// pps [--ports|--firewall] [--json FILE]: what the engine costs on one core, next to the AEAD alone
// in the same run. The two take turns, batch by batch, so that a noisy moment hits both: the ratio
// is the median of the ratios of such pairs. Prints a table. With --ports only what is compared
// with dpdk-testpmd, with --firewall only the price of firewalls: each in a few seconds.
#include <fmt/format.h>
#include <rte_eal.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>

#include "engine/engine.hpp"
#include "perf/pps/aead_alone.hpp"
#include "perf/pps/engine_between.hpp"
#include "perf/pps/engine_relay.hpp"
#include "perf/pps/figures.hpp"
#include "perf/pps/forwarding.hpp"
#include "perf/pps/lcore_scaling.hpp"
#include "perf/pps/memif_wire.hpp"
#include "perf/pps/memory_wire.hpp"
#include "perf/pps/ring_wire.hpp"

namespace ipop::perf {
namespace {

// A datagram of the shortest packets, with its relay header.
constexpr std::uint32_t kRelayed = 104;

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
          {"relay_ns", best_and_median(figures)}};
}

// A port's driver alone, and the shortest packets through the engine over it.
template <typename Wire>
nlohmann::json measure_port(engine::AeadSuite suite) {
  nlohmann::json row{{"wire", Wire::kName}, {"suite", name(suite)}};
  for (const auto& [how, mode] : {std::pair{Forwarding::kIo, "io"}, {Forwarding::kMac, "mac"}}) {
    const auto batches = forwarding_ns<Wire>(how);
    fmt::print("{:<9} forwarding, {:<25} {:>24.1f}\n", Wire::kName, mode, median(batches));
    row[fmt::format("{}_ns", mode)] = best_and_median(batches);
  }
  row["relay_ns"] = measure_relay<Wire>({.size = kRelayed})["relay_ns"];
  const nlohmann::json engine = measure<Wire>({.suite = suite});
  row["encap"] = engine["encap"];
  row["decap"] = engine["decap"];
  return row;
}

nlohmann::json measure_ports(engine::AeadSuite suite) {
  return {measure_port<RingWire>(suite), measure_port<MemifWire>(suite)};
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

// What the engine carries behind a firewall, over what it carries without.
nlohmann::json measure_firewall(Workload workload) {
  constexpr std::uint32_t kRules = 100;
  EngineBetween<MemoryWire> open(workload);
  workload.rules = kRules;
  EngineBetween<MemoryWire> guarded(workload);
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    open.run_batch();
    guarded.run_batch();
  }
  open.must_be_complete();
  guarded.must_be_complete();
  const auto without = open.encap().batches();
  const auto with = guarded.encap().batches();
  const double encap = median_ratio(without, with);
  const double decap = median_ratio(open.decap().batches(), guarded.decap().batches());
  fmt::print(
      "{} rules, {:>4} peers {:>5} bytes: encap {:.3f} of {:.1f} ns' rate, decap {:.3f} of "
      "{:.1f}\n",
      kRules, workload.peers, workload.size, encap, median(without), decap,
      median(open.decap().batches()));
  std::fflush(stdout);
  return {{"rules", kRules},
          {"peers", workload.peers},
          {"bytes", workload.size},
          {"super", workload.supers},
          {"encap_ns", {median(without), median(with)}},
          {"decap_ns", {median(open.decap().batches()), median(guarded.decap().batches())}},
          {"encap_times", encap},
          {"decap_times", decap}};
}

std::vector<Workload> relay_workloads() {
  std::vector<Workload> all;
  for (const std::uint32_t pairs : {1u, 1000u}) {
    for (const std::uint32_t size : {kRelayed, 1440u})
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

// A card has no trains, and silent peers are no business of the wire's.
bool is_for_cards(const Workload& workload) {
  return !workload.supers && workload.idle == 0;
}

nlohmann::json measure_suite(engine::AeadSuite suite) {
  nlohmann::json rows = nlohmann::json::array();
  const auto all = workloads(suite);
  for (const Workload& workload : all)
    rows.push_back(measure<MemoryWire>(workload));
  for (const Workload& workload : all) {
    if (is_for_cards(workload)) rows.push_back(measure<RingWire>(workload));
  }
  for (const Workload& workload : all) {
    if (is_for_cards(workload)) rows.push_back(measure<MemifWire>(workload));
  }
  return rows;
}

nlohmann::json measure_relays() {
  nlohmann::json rows = nlohmann::json::array();
  const auto all = relay_workloads();
  for (const Workload& workload : all)
    rows.push_back(measure_relay<MemoryWire>(workload));
  for (const Workload& workload : all) {
    if (is_for_cards(workload)) rows.push_back(measure_relay<RingWire>(workload));
  }
  for (const Workload& workload : all) {
    if (is_for_cards(workload)) rows.push_back(measure_relay<MemifWire>(workload));
  }
  return rows;
}

nlohmann::json measure_firewalls() {
  nlohmann::json rows = nlohmann::json::array();
  for (const Workload& workload : workloads(engine::AeadSuite::kAes256Gcm)) {
    if (workload.idle == 0) rows.push_back(measure_firewall(workload));
  }
  return rows;
}

enum class Part { kAll, kPorts, kFirewall };

std::optional<Part> part_named(std::string_view option) {
  if (option == "--ports") return Part::kPorts;
  if (option == "--firewall") return Part::kFirewall;
  return std::nullopt;
}

nlohmann::json run(Part part) {
  engine::EngineSettings settings;
  settings.memory_mb = 512;  // reserved; what is used is what a workload needs
  engine::start_eal_for(settings);
  const auto aead = engine::make_aead_engine();
  fmt::print("{}, bursts of {}; medians of {} batches, ns a packet or super-packet\n", aead->name(),
             engine::kBurst, kBatches - 1);
  fmt::print("{:<9} {:<18} {:>6} {:>6} {:>6}   {:>8} {:>8} {:>5}  {:>8} {:>8} {:>5}\n", "wire",
             "suite", "peers", "idle", "bytes", "seal", "encap", "÷", "open", "decap", "÷");
  nlohmann::json figures{{"aead", aead->name()},    {"hugepages", rte_eal_has_hugepages() != 0},
                         {"burst", engine::kBurst}, {"batches", kBatches - 1},
                         {"segments", kSegments},   {"segment_size", kSegmentSize}};
  std::vector<engine::AeadSuite> suites;
  for (const auto suite : {engine::AeadSuite::kAes256Gcm, engine::AeadSuite::kChaCha20Poly1305}) {
    if ((aead->suites() >> static_cast<unsigned>(suite) & 1) != 0) suites.push_back(suite);
  }
  if (part == Part::kFirewall) {
    figures["firewall"] = measure_firewalls();
    return figures;
  }
  if (part == Part::kPorts) {
    figures["ports"] = measure_ports(suites.front());
    return figures;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const auto suite : suites) {
    for (nlohmann::json& row : measure_suite(suite))
      rows.push_back(std::move(row));
  }
  figures["rows"] = std::move(rows);
  figures["relay"] = measure_relays();
  nlohmann::json lcores = nlohmann::json::array();
  for (const std::uint32_t size : {64u, 512u, 1400u})
    lcores.push_back(measure_lcores({.size = size}));
  figures["lcores"] = std::move(lcores);
  figures["firewall"] = measure_firewalls();
  return figures;
}

}  // namespace
}  // namespace ipop::perf

int main(int argc, char** argv) {
  std::span arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  const auto part = arguments.empty() ? std::nullopt : ipop::perf::part_named(arguments.front());
  if (part) arguments = arguments.subspan(1);
  const bool to_file = arguments.size() == 2 && std::string_view(arguments[0]) == "--json";
  if (!arguments.empty() && !to_file) {
    fmt::print(stderr, "usage: pps [--ports|--firewall] [--json FILE]\n");
    return 2;
  }
  try {
    const auto figures = ipop::perf::run(part.value_or(ipop::perf::Part::kAll));
    if (to_file) {
      std::ofstream into(arguments[1]);
      into << figures.dump(2) << '\n';
      if (!into.flush()) throw std::runtime_error(std::string("cannot write ") + arguments[1]);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "pps: {}\n", error.what());
    return 1;
  }
}
