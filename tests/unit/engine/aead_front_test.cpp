// Jobs with a front: segments that lie one behind another in a super-packet, each sealed behind
// headers of its own.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"

namespace ipop::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kGuard = 64;
constexpr std::uint8_t kFiller = 0xee;

class AeadFront : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      engine_ = make_aead_engine(GetParam());
      plain_engine_ = make_aead_engine(GetParam());
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
    for (const AeadSuite suite : {AeadSuite::kChaCha20Poly1305, AeadSuite::kAes256Gcm}) {
      if ((engine_->suites() >> static_cast<unsigned>(suite) & 1) == 0) continue;
      keys_.push_back(std::make_unique<AeadKey>());
      engine_->expand(suite, Secret<32>::random(), *keys_.back());
    }
  }

  Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }
  // Of front and content as one plaintext that lies by itself.
  Bytes plain_seal(const AeadKey& key, std::uint64_t counter, const Bytes& front,
                   std::span<const std::uint8_t> content) {
    Bytes text = front;
    text.insert(text.end(), content.begin(), content.end());
    Bytes sealed(text.size() + kTagSize);
    AeadJob job{.key = &key,
                .in = text.data(),
                .out = sealed.data(),
                .length = static_cast<std::uint32_t>(text.size()),
                .counter = counter};
    plain_engine_->seal_burst({&job, 1});
    EXPECT_TRUE(job.ok);
    return sealed;
  }

  // A super-packet of `count` segments of `size` bytes behind `headers` bytes; the last may be
  // shorter. Sealed in one burst, the results 16 bytes apart, as in a train.
  void expect_chain(const AeadKey& key, std::size_t headers, std::size_t size, std::size_t count,
                    std::size_t last) {
    Bytes super = random_bytes(headers + (count - 1) * size + last);
    super.insert(super.begin(), kGuard, kFiller);
    super.insert(super.end(), kGuard, kFiller);
    std::vector<Bytes> fronts;
    std::vector<Bytes> expected;
    std::vector<AeadJob> jobs;
    Bytes train(count * (16 + headers + size + kTagSize) + kGuard, kFiller);
    std::uint8_t* out = train.data();
    const std::uint64_t counter = random_();
    for (std::size_t i = 0; i < count; ++i)
      fronts.push_back(random_bytes(headers));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t here = i + 1 == count ? last : size;
      const std::uint8_t* const in = super.data() + kGuard + headers + i * size;
      expected.push_back(plain_seal(key, counter + i, fronts[i], {in, here}));
      out += 16;
      jobs.push_back({.key = &key,
                      .in = in,
                      .out = out,
                      .length = static_cast<std::uint32_t>(headers + here),
                      .counter = counter + i,
                      .front = fronts[i].data(),
                      .front_length = static_cast<std::uint32_t>(headers)});
      out += headers + here + kTagSize;
    }
    engine_->seal_burst(jobs);
    Bytes whole;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(jobs[i].ok);
      whole.insert(whole.end(), 16, kFiller);
      whole.insert(whole.end(), expected[i].begin(), expected[i].end());
    }
    whole.resize(train.size(), kFiller);
    ASSERT_TRUE(train == whole) << count << " of " << size << " behind " << headers;
    EXPECT_EQ(Bytes(super.begin(), super.begin() + kGuard), Bytes(kGuard, kFiller));
    EXPECT_EQ(Bytes(super.end() - kGuard, super.end()), Bytes(kGuard, kFiller));
  }

  std::mt19937_64 random_{20'26};
  std::unique_ptr<AeadEngine> engine_;
  std::unique_ptr<AeadEngine> plain_engine_;
  std::vector<std::unique_ptr<AeadKey>> keys_;
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadFront,
                         testing::Values("avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"),
                         [](const auto& parameter) {
                           std::string title(parameter.param);
                           std::erase(title, '-');
                           return title;
                         });

TEST_P(AeadFront, SealsTheSegmentsOfAChainLikePlainPackets) {
  for (const auto& key : keys_) {
    for (const std::size_t headers : {28u, 40u, 52u, 60u, 100u, 160u}) {
      // Also segments shorter than the headers that take their place.
      for (const std::size_t size : {1u, 16u, 39u, 40u, 536u, 1380u}) {
        for (const std::size_t count : {1u, 2u, 31u, 33u, 64u})
          expect_chain(*key, headers, size, count, 1 + random_() % size);
      }
    }
  }
}

TEST_P(AeadFront, SealsChainsOfAnyShape) {
  for (int round = 0; round < 100; ++round) {
    const std::size_t size = 1 + random_() % 1500;
    expect_chain(*keys_[random_() % keys_.size()], 1 + random_() % 160, size, 1 + random_() % 64,
                 1 + random_() % size);
  }
}

// Nothing says that all jobs of a burst have fronts.
TEST_P(AeadFront, StandsAmongJobsWithoutFrontAndOtherKeys) {
  std::vector<Bytes> fronts(50);
  std::vector<Bytes> contents(50);
  std::vector<Bytes> sealed(50);
  std::vector<Bytes> expected;
  std::vector<AeadJob> jobs;
  for (std::size_t i = 0; i < fronts.size(); ++i) {
    const AeadKey& key = *keys_[random_() % keys_.size()];
    if (random_() % 2 == 0) fronts[i] = random_bytes(1 + random_() % 100);
    contents[i] = random_bytes(100 + random_() % 1000);
    const auto content = std::span(contents[i]).subspan(100);
    expected.push_back(plain_seal(key, i, fronts[i], content));
    sealed[i].resize(expected[i].size());
    jobs.push_back({.key = &key,
                    .in = content.data(),
                    .out = sealed[i].data(),
                    .length = static_cast<std::uint32_t>(fronts[i].size() + content.size()),
                    .counter = i,
                    .front = fronts[i].data(),
                    .front_length = static_cast<std::uint32_t>(fronts[i].size())});
  }
  engine_->seal_burst(jobs);
  for (std::size_t i = 0; i < fronts.size(); ++i)
    EXPECT_TRUE(sealed[i] == expected[i]) << i;
}

TEST_P(AeadFront, MayBeAllThatThereIs) {
  for (const auto& key : keys_) {
    const Bytes front = random_bytes(40);
    Bytes room(60);
    Bytes sealed(front.size() + kTagSize);
    AeadJob job{.key = key.get(),
                .in = room.data() + 60,
                .out = sealed.data(),
                .length = 40,
                .counter = 9,
                .front = front.data(),
                .front_length = 40};
    engine_->seal_burst({&job, 1});
    EXPECT_TRUE(job.ok);
    EXPECT_TRUE(sealed == plain_seal(*key, 9, front, {}));
  }
}

}  // namespace
}  // namespace ipop::engine
