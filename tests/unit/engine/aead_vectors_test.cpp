// Every engine against published vectors: NIST's CAVP and Project Wycheproof (tests/vectors/aead).
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "engine/aead/aead.hpp"
#include "tests/unit/engine/published_vectors.hpp"

namespace ipop::engine {
namespace {

const std::string kFolder = std::string(AEAD_VECTORS) + "/";

class PublishedVectors : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      engine_ = make_aead_engine(GetParam());
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  // All of a file as one burst, so that the packets of an engine that works on several at once are
  // neighbours, and each once more alone.
  void expect_all(AeadSuite suite, const std::vector<PublishedVector>& vectors,
                  std::size_t expected_count) {
    if ((engine_->suites() >> static_cast<unsigned>(suite) & 1) == 0) GTEST_SKIP() << name(suite);
    ASSERT_EQ(vectors.size(), expected_count);
    std::vector<std::unique_ptr<AeadKey>> keys;
    for (const PublishedVector& one : vectors) {
      keys.push_back(std::make_unique<AeadKey>());
      ASSERT_EQ(one.key.size(), 32u);
      ASSERT_EQ(one.nonce.size(), 12u);
      engine_->expand(suite, Secret<32>(ByteView(one.key).first<32>()), *keys.back());
      std::memcpy(&keys.back()->salt, one.nonce.data(), 4);
    }
    expect_opened(vectors, keys);
    expect_sealed(vectors, keys);
  }

 private:
  using Keys = std::vector<std::unique_ptr<AeadKey>>;

  void expect_opened(const std::vector<PublishedVector>& vectors, const Keys& keys) {
    std::vector<std::vector<std::uint8_t>> texts(vectors.size());
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      texts[i].resize(vectors[i].sealed.size() - kTagSize);
      jobs.push_back({.key = keys[i].get(),
                      .in = vectors[i].sealed.data(),
                      .out = texts[i].data(),
                      .length = static_cast<std::uint32_t>(texts[i].size()),
                      .counter = load_le<std::uint64_t>(&vectors[i].nonce[4])});
    }
    const auto judge = [&](const char* how) {
      for (std::size_t i = 0; i < vectors.size(); ++i) {
        EXPECT_EQ(jobs[i].ok, vectors[i].valid) << vectors[i].name << how;
        if (vectors[i].valid) {
          EXPECT_EQ(texts[i], vectors[i].plain) << vectors[i].name << how;
        }
        jobs[i].ok = !vectors[i].valid;
        texts[i].assign(texts[i].size(), 0);
      }
    };
    engine_->open_burst(jobs);
    judge(", in a burst");
    for (AeadJob& job : jobs)
      engine_->open_burst({&job, 1});
    judge(", alone");
  }

  void expect_sealed(const std::vector<PublishedVector>& vectors, const Keys& keys) {
    std::vector<std::vector<std::uint8_t>> sealed(vectors.size());
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      sealed[i].resize(vectors[i].plain.size() + kTagSize);
      jobs.push_back({.key = keys[i].get(),
                      .in = vectors[i].plain.data(),
                      .out = sealed[i].data(),
                      .length = static_cast<std::uint32_t>(vectors[i].plain.size()),
                      .counter = load_le<std::uint64_t>(&vectors[i].nonce[4])});
    }
    engine_->seal_burst(jobs);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      EXPECT_TRUE(jobs[i].ok);
      if (vectors[i].valid) {
        EXPECT_EQ(sealed[i], vectors[i].sealed) << vectors[i].name;
      }
    }
  }

  std::unique_ptr<AeadEngine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Aead, PublishedVectors,
                         testing::Values("avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"),
                         [](const auto& parameter) {
                           std::string title(parameter.param);
                           std::erase(title, '-');
                           return title;
                         });

TEST_P(PublishedVectors, OfCavpForSealingAreMet) {
  expect_all(AeadSuite::kAes256Gcm, read_cavp(kFolder + "cavp_gcm_encrypt_256.rsp"), 75);
}

TEST_P(PublishedVectors, OfCavpForOpeningAreMetOrRefused) {
  expect_all(AeadSuite::kAes256Gcm, read_cavp(kFolder + "cavp_gcm_decrypt_256.rsp"), 75);
}

TEST_P(PublishedVectors, OfWycheproofForGcmAreMetOrRefused) {
  expect_all(AeadSuite::kAes256Gcm, read_wycheproof(kFolder + "wycheproof_aes_gcm.json"), 39);
}

TEST_P(PublishedVectors, OfWycheproofForChachaAreMetOrRefused) {
  expect_all(AeadSuite::kChaCha20Poly1305,
             read_wycheproof(kFolder + "wycheproof_chacha20_poly1305.json"), 38);
}

}  // namespace
}  // namespace ipop::engine
