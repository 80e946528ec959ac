#include "engine/aead/known_answers.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "engine/aead/sodium_aead.hpp"

namespace ipop::engine {
namespace {

// An engine that works until it is told to do something wrong behind a burst.
class FaultyAead final : public AeadEngine {
 public:
  using Fault = std::function<void(std::span<AeadJob>)>;

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override {
    sound_.expand(suite, raw, key);
  }
  void seal_burst(std::span<AeadJob> jobs) noexcept override {
    sound_.seal_burst(jobs);
    if (after_seal) after_seal(jobs);
  }
  void open_burst(std::span<AeadJob> jobs) noexcept override {
    sound_.open_burst(jobs);
    if (after_open) after_open(jobs);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return has; }

  Fault after_seal;
  Fault after_open;
  std::uint8_t has = SodiumAead().suites();

 private:
  SodiumAead sound_;
};

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
