// Two engines between memory ports, each turned by hand: what one turn of a burst costs, from the
// host port's queue to the wire port's and back, without the cost of making the packets.
#pragma once

#include <memory>

#include "perf/pps/workload.hpp"

namespace ipop::perf {

[[nodiscard]] Figures measure_engine(const Workload& workload);

}  // namespace ipop::perf
