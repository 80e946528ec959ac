// What `./dev differential` does for long, for a moment: random bursts by every family of kernels,
// by a library and by OpenSSL. And that it notices what it looks for.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/differential/one_burst.hpp"
#include "tests/unit/engine/faulty_aead.hpp"

namespace ipop::engine {
namespace {

std::unique_ptr<AeadEngine> best_library() {
  try {
    return make_aead_engine("ipsec-mb");
  } catch (const std::runtime_error&) {
    return make_aead_engine("libsodium");
  }
}

class RandomBursts : public testing::TestWithParam<const char*> {};

TEST_P(RandomBursts, AreTheSameByAll) {
  std::unique_ptr<AeadEngine> kernels;
  try {
    kernels = make_aead_engine(GetParam());
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << error.what();
  }
  const auto library = best_library();
  OneBurst burst(*kernels, *library, 2026);
  while (burst.packets() < 60'000)
    burst.run();
  EXPECT_GT(burst.damaged(), 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Aead, RandomBursts, testing::Values("avx512", "vaes256", "avx2"),
                         [](const auto& parameter) { return std::string(parameter.param); });

// A library stands for both; one of them goes wrong now and then.
void expect_noticed(const char* description, const FaultyAead::Fault& after_seal,
                    const FaultyAead::Fault& after_open) {
  FaultyAead faulty;
  faulty.after_seal = after_seal;
  faulty.after_open = after_open;
  SodiumAead library;
  OneBurst burst(faulty, library, 2026);
  EXPECT_THROW(
      {
        while (burst.packets() < 20'000)
          burst.run();
      },
      std::runtime_error)
      << description;
}

TEST(RandomBurst, NoticesWhatOneOfThemDoesOtherwise) {
  if ((SodiumAead().suites() & 2) == 0) GTEST_SKIP() << "libsodium has no AES-256-GCM here";
  const auto last = [](std::span<AeadJob> jobs) -> AeadJob& { return jobs.back(); };
  expect_noticed("a bit of text", [&](auto jobs) { last(jobs).out[0] ^= 1; }, {});
  expect_noticed("a bit of a tag", [&](auto jobs) { last(jobs).out[last(jobs).length] ^= 1; }, {});
  expect_noticed("a byte behind what is sealed",
                 [&](auto jobs) { last(jobs).out[last(jobs).length + kTagSize] = 0; }, {});
  expect_noticed("a byte behind what is opened", {}, [&](auto jobs) {
    if (last(jobs).out != last(jobs).in) last(jobs).out[last(jobs).length] = 0;
  });
  expect_noticed("a byte in front", {}, [&](auto jobs) { last(jobs).out[-1] = 0; });
  expect_noticed("damage that it opens", {}, [&](auto jobs) { last(jobs).ok = true; });
  expect_noticed("a packet that it refuses", {}, [&](auto jobs) { last(jobs).ok = false; });
}

}  // namespace
}  // namespace ipop::engine
