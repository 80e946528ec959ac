#include "engine/aead/known_answers.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/faulty_aead.hpp"

namespace ipop::engine {
namespace {

TEST(KnownAnswers, PassASoundEngine) {
  FaultyAead engine;
  EXPECT_NO_THROW(check_known_answers(engine));
}

TEST(KnownAnswers, RefuseAnEngineWithoutSuites) {
  FaultyAead engine;
  engine.has = 0;
  EXPECT_THROW(check_known_answers(engine), std::runtime_error);
}

TEST(KnownAnswers, RefuseAnEngineThatSealsOneLengthWrongly) {
  for (const std::uint32_t length : {0u, 1u, 114u, 1400u, 2048u}) {
    FaultyAead engine;
    engine.after_seal = [length](std::span<AeadJob> jobs) {
      for (AeadJob& job : jobs)
        job.out[job.length] ^= job.length == length ? 1 : 0;
    };
    EXPECT_THROW(check_known_answers(engine), std::runtime_error) << length;
  }
}

TEST(KnownAnswers, RefuseAnEngineThatOpensDamage) {
  FaultyAead engine;
  engine.after_open = [](std::span<AeadJob> jobs) {
    for (AeadJob& job : jobs)
      job.ok = true;
  };
  EXPECT_THROW(check_known_answers(engine), std::runtime_error);
}

TEST(KnownAnswers, RefuseAnEngineThatRefusesEverything) {
  FaultyAead engine;
  engine.after_open = [](std::span<AeadJob> jobs) {
    for (AeadJob& job : jobs)
      job.ok = false;
  };
  EXPECT_THROW(check_known_answers(engine), std::runtime_error);
}

TEST(KnownAnswers, RefuseAnEngineThatMixesUpVerdictsOfABurst) {
  FaultyAead engine;
  engine.after_open = [](std::span<AeadJob> jobs) {
    if (jobs.size() > 1) std::swap(jobs.front().ok, jobs.back().ok);
  };
  EXPECT_THROW(check_known_answers(engine), std::runtime_error);
}

TEST(KnownAnswers, RefuseAnEngineThatOpensToTheWrongText) {
  FaultyAead engine;
  engine.after_open = [](std::span<AeadJob> jobs) {
    for (AeadJob& job : jobs) {
      if (job.ok && job.length == 1400) job.out[700] ^= 1;
    }
  };
  EXPECT_THROW(check_known_answers(engine), std::runtime_error);
}

}  // namespace
}  // namespace ipop::engine
