#include "engine/aead/gcm/gcm_key.hpp"

#include <openssl/evp.h>

#include <algorithm>
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

using Block = std::array<std::uint8_t, 16>;

Block encrypted_zero(const Key& key) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const Block zero{};
  Block block{};
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ecb(), nullptr, key.raw.data(), nullptr),
            1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), block.data(), &written, zero.data(), 16), 1);
  return block;
}

// SP 800-38D §6.3, bit by bit: the first bit of a block is the highest of its first byte.
Block times(const Block& x, Block v) {
  Block z{};
  for (int bit = 0; bit < 128; ++bit) {
    const bool has = (x[bit / 8] >> (7 - bit % 8) & 1) != 0;
    for (int i = 0; has && i < 16; ++i)
      z[i] ^= v[i];
    const bool falls_off = (v[15] & 1) != 0;
    for (int i = 15; i > 0; --i)
      v[i] = static_cast<std::uint8_t>(v[i] >> 1 | v[i - 1] << 7);
    v[0] = static_cast<std::uint8_t>(v[0] >> 1 ^ (falls_off ? 0xe1 : 0));
  }
  return z;
}

// As kernels have it: the bytes reversed, and multiplied by x (RFC 8452 appendix A).
Block in_kernels_form(Block h) {
  std::ranges::reverse(h);
  const bool falls_off = (h[15] & 0x80) != 0;
  for (int i = 15; i > 0; --i)
    h[i] = static_cast<std::uint8_t>(h[i] << 1 | h[i - 1] >> 7);
  h[0] = static_cast<std::uint8_t>(h[0] << 1);
  if (falls_off) {
    h[0] ^= 1;
    h[15] ^= 0xc2;
  }
  return h;
}

// Those that only the other family needs as well.
TEST_P(GcmKeys, HaveAllPowersOfTheStandardsProduct) {
  std::mt19937_64 random(20'26);
  for (int round = 0; round < 20; ++round) {
    const Key key(random);
    const auto& expanded = *reinterpret_cast<const GcmKey*>(key.expanded.storage());
    const Block h = encrypted_zero(key);
    Block power = h;
    for (std::size_t n = 1; n <= GcmKey::kPowers; ++n) {
      const Block wanted = in_kernels_form(power);
      ASSERT_EQ(std::memcmp(powers_from(expanded, n), wanted.data(), 16), 0) << "H^" << n;
      for (std::size_t i = 0; n <= GcmKey::kHalfSums && i < 16; ++i) {
        ASSERT_EQ(expanded.half_sums[16 * (GcmKey::kHalfSums - n) + i],
                  wanted[i % 8] ^ wanted[i % 8 + 8])
            << "H^" << n;
      }
      power = times(power, h);
    }
  }
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
