// intel-ipsec-mb where it does not do as it usually does. What all engines share is in aead_test.
#ifdef IPOP_HAVE_IPSEC_MB
#include "engine/aead/ipsec_mb_aead.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace ipop::engine {
namespace {

TEST(IpsecMbAead, SaysWhyItDoesNotStartOnAProcessorWithoutAes) {
  try {
    const IpsecMbAead engine(IMB_FLAG_AESNI_OFF);
    FAIL() << "it started as " << engine.name();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("does not start"), std::string::npos) << error.what();
  }
}

// A library that finishes its jobs, but hands `at_once` of them back, and then one at each flush;
// the job at `failing` was not done.
class Hesitant final : public IpsecMbAead {
 public:
  Hesitant() {
    submit = library().submit_burst_nocheck;
    held.clear();
    library().submit_burst_nocheck = [](IMB_MGR* mb, std::uint32_t count, IMB_JOB** jobs) {
      EXPECT_EQ(submit(mb, count, jobs), count);
      if (failing < count) jobs[failing]->status = IMB_STATUS_INTERNAL_ERROR;
      held.assign(jobs + std::min(at_once, count), jobs + count);
      return std::min(at_once, count);
    };
    library().flush_burst = [](IMB_MGR*, std::uint32_t, IMB_JOB** jobs) {
      if (held.empty()) return std::uint32_t{0};
      jobs[0] = held.back();
      held.pop_back();
      return std::uint32_t{1};
    };
  }

  static inline std::uint32_t at_once = 0;
  static inline std::uint32_t failing = 0;

 private:
  static inline decltype(IMB_MGR::submit_burst_nocheck) submit = nullptr;
  static inline std::vector<IMB_JOB*> held;
};

TEST(IpsecMbAead, WaitsForJobsThatTheLibraryHoldsBackAndSaysWhichFailed) {
  Hesitant engine;
  AeadKey key;
  engine.expand(AeadSuite::kChaCha20Poly1305, Secret<32>::random(), key);
  for (const std::uint32_t at_once : {0u, 1u, 5u}) {
    Hesitant::at_once = at_once;
    std::vector<std::vector<std::uint8_t>> buffers(5, std::vector<std::uint8_t>(100 + kTagSize));
    std::vector<AeadJob> jobs;
    for (auto& each : buffers)
      jobs.push_back({&key, each.data(), each.data(), 100, jobs.size()});
    Hesitant::failing = 3;
    engine.seal_burst(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      EXPECT_EQ(jobs[i].ok, i != 3) << "sealed, " << at_once << " at once, job " << i;
    Hesitant::failing = 1;
    engine.open_burst(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      EXPECT_EQ(jobs[i].ok, i != 1) << "opened, " << at_once << " at once, job " << i;
  }
}

}  // namespace
}  // namespace ipop::engine
#endif
