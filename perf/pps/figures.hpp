// From many batches to the figures that are shown.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "perf/pps/workload.hpp"

namespace ipop::perf {

[[nodiscard]] double median(std::vector<double> values);
// Of the batches' own ratios.
[[nodiscard]] double median_ratio(const std::vector<double>& of, const std::vector<double>& to);
// {"best": …, "median": …}
[[nodiscard]] nlohmann::json best_and_median(const std::vector<double>& values);
// The whole engine next to the AEAD alone, batch by batch: either one's time, their ratio, and what
// the engine takes beyond.
[[nodiscard]] nlohmann::json compare(const Stopwatch& alone, const Stopwatch& engine);

}  // namespace ipop::perf
