#include "engine/aead/gcm/gcm_key.hpp"

#include <cstring>

#include "tests/unit/engine/kernels/gcm_reference.hpp"

#ifdef IPOP_HAVE_IPSEC_MB
#include "engine/aead/ipsec_mb_aead.hpp"
#endif

namespace ipop::engine::gcm {
namespace {

class GcmKeys : public OfFamily {};

// FIPS 197 appendix A.3.
TEST_P(GcmKeys, HaveTheRoundKeysOfTheStandard) {
  const std::uint8_t raw[32] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae,
                                0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61,
                                0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4};
  const std::uint8_t last[16] = {0xfe, 0x48, 0x90, 0xd1, 0xe6, 0x18, 0x8d, 0x0b,
                                 0x04, 0x6d, 0xf3, 0x44, 0x70, 0x6c, 0x63, 0x1e};
  GcmKey key;
  expand_gcm_key(raw, key);
  EXPECT_EQ(std::memcmp(key.round_keys, raw, sizeof raw), 0);
  EXPECT_EQ(std::memcmp(key.round_keys + sizeof key.round_keys - 16, last, 16), 0);
}

#ifdef IPOP_HAVE_IPSEC_MB
TEST_P(GcmKeys, SealAndOpenLikeIpsecMb) {
  std::mt19937_64 random(20'26);
  IpsecMbAead other;
  for (int round = 0; round < 200; ++round) {
    const Key key(random);
    AeadKey others;
    other.expand(AeadSuite::kAes256Gcm, Secret<32>(std::span(key.raw)), others);
    others.salt = key.expanded.salt;
    const std::size_t count = 1 + random() % 64;
    std::vector<Bytes> mine;
    std::vector<Bytes> theirs;
    std::vector<AeadJob> jobs;
    std::vector<AeadJob> their_jobs;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t length = random() % (round % 4 == 0 ? 2000 : 300);
      mine.push_back(random_bytes(random, length + kTagSize));
      theirs.push_back(mine.back());
      jobs.push_back({&key.expanded, mine.back().data(), mine.back().data(),
                      static_cast<std::uint32_t>(length), random()});
      their_jobs.push_back(jobs.back());
      their_jobs.back().key = &others;
      their_jobs.back().in = their_jobs.back().out = theirs.back().data();
    }
    seal_gcm(jobs.data(), count);
    other.seal_burst(their_jobs);
    ASSERT_TRUE(mine == theirs);
    // Each opens what the other sealed.
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(jobs[i].out, their_jobs[i].out);
      jobs[i].in = jobs[i].out;
      their_jobs[i].in = their_jobs[i].out;
    }
    open_gcm(jobs.data(), count);
    other.open_burst(their_jobs);
    ASSERT_TRUE(mine == theirs);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_TRUE(jobs[i].ok && their_jobs[i].ok);
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Aead, GcmKeys, testing::ValuesIn(kFamilies), OfFamily::title);

}  // namespace
}  // namespace ipop::engine::gcm
