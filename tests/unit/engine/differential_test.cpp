#include "engine/aead/differential.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/unit/engine/faulty_aead.hpp"

namespace ipop::engine {
namespace {

TEST(Differential, PassesTwoSoundEngines) {
  SodiumAead one;
  SodiumAead other;
  EXPECT_NO_THROW(check_same_results(one, other));
}

TEST(Differential, HasNothingToSayWhereNoSuiteIsShared) {
  FaultyAead engine;
  engine.has = 0;
  engine.after_seal = [](std::span<AeadJob> jobs) { jobs[0].ok = false; };
  SodiumAead reference;
  EXPECT_NO_THROW(check_same_results(engine, reference));
}

struct Fault {
  const char* description;
  FaultyAead::Fault after_seal;
  FaultyAead::Fault after_open;
};

TEST(Differential, FindsWhatOneEngineDoesOtherwise) {
  const Fault faults[] = {
      {"text of the last packet of a long burst",
       [](std::span<AeadJob> jobs) {
         if (jobs.size() >= 33 && jobs.back().length != 0) jobs.back().out[0] ^= 1;
       },
       {}},
      {"tags of lengths that are no multiple of 16",
       [](std::span<AeadJob> jobs) {
         for (AeadJob& job : jobs)
           job.out[job.length] ^= job.length % 16 != 0 ? 1 : 0;
       },
       {}},
      {"a packet that it does not seal",
       [](std::span<AeadJob> jobs) { jobs[jobs.size() / 2].ok = false; },
       {}},
      {"a damaged packet that it opens",
       {},
       [](std::span<AeadJob> jobs) {
         for (AeadJob& job : jobs)
           job.ok = true;
       }},
      {"a good packet that it refuses",
       {},
       [](std::span<AeadJob> jobs) {
         if (jobs.size() == 13) {
           for (AeadJob& job : jobs)
             job.ok = false;
         }
       }},
      {"a plaintext that it spoils",
       {},
       [](std::span<AeadJob> jobs) {
         for (AeadJob& job : jobs)
           if (job.length > 700) job.out[700] ^= 0x80;
       }},
  };
  for (const Fault& fault : faults) {
    FaultyAead engine;
    engine.after_seal = fault.after_seal;
    engine.after_open = fault.after_open;
    SodiumAead reference;
    EXPECT_THROW(check_same_results(engine, reference), std::runtime_error) << fault.description;
  }
}

}  // namespace
}  // namespace ipop::engine
