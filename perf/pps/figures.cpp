#include "perf/pps/figures.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace ipop::perf {
namespace {

double best(const std::vector<double>& values) {
  return *std::ranges::min_element(values);
}

template <typename Pair>
double median_of_pairs(const std::vector<double>& of, const std::vector<double>& to, Pair pair) {
  std::vector<double> values(of.size());
  std::ranges::transform(of, to, values.begin(), pair);
  return median(std::move(values));
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double median_ratio(const std::vector<double>& of, const std::vector<double>& to) {
  return median_of_pairs(of, to, std::divides());
}

nlohmann::json best_and_median(const std::vector<double>& values) {
  return {{"best", best(values)}, {"median", median(values)}};
}

nlohmann::json compare(const Stopwatch& alone, const Stopwatch& engine) {
  const auto floor = alone.batches();
  const auto whole = engine.batches();
  return {{"aead_ns", best_and_median(floor)},
          {"engine_ns", best_and_median(whole)},
          {"beyond_ns", {{"median", median_of_pairs(whole, floor, std::minus())}}},
          {"ratio", {{"best", best(whole) / best(floor)}, {"median", median_ratio(whole, floor)}}}};
}

}  // namespace ipop::perf
