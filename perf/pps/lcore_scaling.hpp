// Several lcores against one: two engines, each with so many lcores on threads of their own, that
// carry one peer's packets by its lanes. What is timed is the lcores' turns alone, as in
// engine_between.hpp; all threads run at the same time, and share tables, pools, session and caches
// as the product's do.
#pragma once

#include <cstdint>
#include <vector>

#include "perf/pps/workload.hpp"

namespace ipop::perf {

// Packets a second, of all lcores together, batch by batch.
struct LcoreRates {
  std::vector<double> encap;
  std::vector<double> decap;
};

// Takes turns, batch by batch, between one lcore and `lcores`: [0] is one's, [1] theirs. Throws
// std::runtime_error if a packet is lost or handed from one to another.
[[nodiscard]] std::vector<LcoreRates> compare_lcores(const Workload& workload, unsigned lcores);

}  // namespace ipop::perf
