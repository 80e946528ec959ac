#include "app/processors.hpp"

#include <sched.h>

#include <algorithm>

namespace ipop::app {

std::vector<std::uint32_t> usable_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<std::uint32_t> usable;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &allowed)) usable.push_back(cpu);
  }
  if (usable.empty()) usable.push_back(0);  // more of them than the set has room for
  return usable;
}

void keep_off(const std::vector<std::uint32_t>& taken) {
  std::vector<std::uint32_t> left = usable_processors();
  std::erase_if(left,
                [&](std::uint32_t cpu) { return std::ranges::find(taken, cpu) != taken.end(); });
  if (left.empty()) return;
  cpu_set_t others;
  CPU_ZERO(&others);
  for (const std::uint32_t cpu : left)
    CPU_SET(cpu, &others);
  // Without it all works as before, only less evenly.
  (void)sched_setaffinity(0, sizeof others, &others);
}

}  // namespace ipop::app
