// The AEAD without anything around it: the floor under the engine's figures.
#pragma once

#include "perf/pps/workload.hpp"

namespace ipop::perf {

[[nodiscard]] Figures measure_aead(const Workload& workload);

}  // namespace ipop::perf
