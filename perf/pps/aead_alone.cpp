#include "perf/pps/aead_alone.hpp"

#include <memory>
#include <random>
#include <stdexcept>

#include "engine/aead/aead.hpp"
#include "engine/port/port.hpp"

namespace ipop::perf {

using engine::AeadJob;
using engine::AeadKey;
using engine::kBurst;

Figures measure_aead(const Workload& workload) {
  constexpr std::size_t kRoom = 2048;
  const auto aead = engine::make_aead_engine();
  std::vector<std::unique_ptr<AeadKey>> keys;
  for (std::uint32_t i = 0; i < workload.peers; ++i) {
    keys.push_back(std::make_unique<AeadKey>());
    aead->expand(workload.suite, Secret<32>::random(), *keys.back());
  }
  std::vector<std::uint8_t> buffers(kBurst * kRoom);
  std::mt19937 random(1);
  std::uint64_t counter = 0;
  Stopwatch seal;
  Stopwatch open;
  for (std::uint32_t batch = 0; batch < kBatches; ++batch) {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      AeadJob jobs[kBurst];
      for (std::uint32_t i = 0; i < kBurst; ++i) {
        std::uint8_t* const at = &buffers[i * kRoom + 16];
        jobs[i] = {.key = keys[random() % keys.size()].get(),
                   .in = at,
                   .out = at,
                   .length = workload.size,
                   .counter = counter++};
      }
      seal.time(kBurst, [&] { aead->seal_burst(jobs); });
      open.time(kBurst, [&] { aead->open_burst(jobs); });
      for (const AeadJob& job : jobs) {
        if (!job.ok) throw std::runtime_error("the AEAD did not open what it sealed");
      }
    }
    seal.end_batch();
    open.end_batch();
  }
  return {.out = seal.best(), .in = open.best()};
}

}  // namespace ipop::perf
