#include "engine/aead/aead.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace ipop::engine {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kFiller = 0xee;
constexpr AeadSuite kSuites[] = {AeadSuite::kChaCha20Poly1305, AeadSuite::kAes256Gcm};

// The reference: OpenSSL, one packet, with the nonce written out.
Bytes openssl_seal(AeadSuite suite, const Secret<32>& key, std::uint64_t counter,
                   const Bytes& plain) {
  std::uint8_t nonce[12] = {};
  for (int i = 0; i < 8; ++i)
    nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  const EVP_CIPHER* cipher =
      suite == AeadSuite::kAes256Gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  Bytes sealed(plain.size() + kTagSize);
  int written = 0;
  int done = EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), nonce);
  done &= EVP_EncryptUpdate(context.get(), sealed.data(), &written, plain.data(),
                            static_cast<int>(plain.size()));
  done &= EVP_EncryptFinal_ex(context.get(), sealed.data() + written, &written);
  done &= EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize,
                              sealed.data() + plain.size());
  EXPECT_EQ(done, 1);
  return sealed;
}

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

Secret<32> random_key(std::mt19937_64& random) {
  return Secret<32>(std::span<const std::uint8_t>(random_bytes(random, 32)).first<32>());
}

// One packet and what the reference made of it. Buffers carry filler behind what may be written.
struct Packet {
  AeadSuite suite{};
  const AeadKey* key = nullptr;
  std::uint64_t counter = 0;
  Bytes plain;
  Bytes sealed;
  Bytes in;
  Bytes out;
  bool in_place = false;

  AeadJob job(const Bytes& from, std::size_t out_size) {
    in = from;
    in.resize(plain.size() + kTagSize + 8, kFiller);
    out.assign(out_size + 8, kFiller);
    return {key, in.data(), in_place ? in.data() : out.data(),
            static_cast<std::uint32_t>(plain.size()), counter};
  }
  [[nodiscard]] Bytes result(std::size_t size) const {
    const Bytes& from = in_place ? in : out;
    return Bytes(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
  }
  [[nodiscard]] bool filler_is_whole() const {
    const Bytes& written = in_place ? in : out;
    return std::all_of(written.end() - 8, written.end(), [](auto b) { return b == kFiller; });
  }
};

class AeadEngines : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      engine_ = make_aead_engine(GetParam());
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  [[nodiscard]] std::vector<AeadSuite> suites() const {
    std::vector<AeadSuite> here;
    for (const AeadSuite suite : kSuites) {
      if ((engine_->suites() >> static_cast<unsigned>(suite) & 1) != 0) here.push_back(suite);
    }
    return here;
  }

  Packet packet(AeadSuite suite, const Secret<32>& raw, const AeadKey& key, std::size_t length) {
    Packet made{.suite = suite, .key = &key, .counter = random_()};
    made.plain = random_bytes(random_, length);
    made.sealed = openssl_seal(suite, raw, made.counter, made.plain);
    made.in_place = random_() % 2 == 0;
    return made;
  }

  void expect_seals_and_opens(std::vector<Packet>& packets) {
    std::vector<AeadJob> jobs;
    for (Packet& one : packets)
      jobs.push_back(one.job(one.plain, one.sealed.size()));
    engine_->seal_burst(jobs);
    for (const AeadJob& job : jobs)
      ASSERT_TRUE(job.ok);
    for (Packet& one : packets) {
      ASSERT_EQ(one.result(one.sealed.size()), one.sealed) << one.plain.size() << " bytes";
      ASSERT_TRUE(one.filler_is_whole());
    }
    jobs.clear();
    for (Packet& one : packets)
      jobs.push_back(one.job(one.sealed, one.plain.size()));
    engine_->open_burst(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_TRUE(jobs[i].ok) << packets[i].plain.size() << " bytes";
      ASSERT_EQ(packets[i].result(packets[i].plain.size()), packets[i].plain);
      ASSERT_TRUE(packets[i].filler_is_whole());
    }
  }

  std::mt19937_64 random_{20'26};
  std::unique_ptr<AeadEngine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadEngines,
                         testing::Values("avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"),
                         [](const auto& parameter) {
                           std::string title(parameter.param);
                           std::erase(title, '-');
                           return title;
                         });

TEST_P(AeadEngines, SealAndOpenEveryLengthLikeOpenssl) {
  for (const AeadSuite suite : suites()) {
    const Secret<32> raw = random_key(random_);
    AeadKey key;
    engine_->expand(suite, raw, key);
    std::vector<Packet> packets;
    for (std::size_t length = 0; length <= 2100; length += length < 300 ? 1 : 1 + random_() % 13) {
      packets.push_back(packet(suite, raw, key, length));
    }
    packets.push_back(packet(suite, raw, key, 9000));
    expect_seals_and_opens(packets);
  }
}

TEST_P(AeadEngines, SealAndOpenAKeepaliveWithoutContent) {
  for (const AeadSuite suite : suites()) {
    const Secret<32> raw = random_key(random_);
    AeadKey key;
    engine_->expand(suite, raw, key);
    Bytes datagram(kTagSize);
    AeadJob job{&key, datagram.data(), datagram.data(), 0, 5};
    engine_->seal_burst({&job, 1});
    EXPECT_EQ(datagram, openssl_seal(suite, raw, 5, {}));
    job = {&key, datagram.data(), datagram.data(), 0, 5};
    engine_->open_burst({&job, 1});
    EXPECT_TRUE(job.ok);
    datagram[3] ^= 8;
    engine_->open_burst({&job, 1});
    EXPECT_FALSE(job.ok);
  }
}

TEST_P(AeadEngines, TakeTheCounterFromAllItsBytes) {
  for (const AeadSuite suite : suites()) {
    const Secret<32> raw = random_key(random_);
    AeadKey key;
    engine_->expand(suite, raw, key);
    std::vector<Packet> packets;
    for (int bit = 0; bit < 64; ++bit) {
      packets.push_back(packet(suite, raw, key, 40));
      packets.back().counter = std::uint64_t{1} << bit;
      packets.back().sealed =
          openssl_seal(suite, raw, packets.back().counter, packets.back().plain);
    }
    expect_seals_and_opens(packets);
  }
}

// Keys, suites and lengths in any order, bursts of 1 to 100.
class MixedBursts : public AeadEngines {
 protected:
  void SetUp() override {
    AeadEngines::SetUp();
    if (engine_ == nullptr) return;
    for (int i = 0; i < 6; ++i) {
      const auto here = suites();
      suite_of_.push_back(here[random_() % here.size()]);
      raw_.push_back(random_key(random_));
      keys_.push_back(std::make_unique<AeadKey>());
      engine_->expand(suite_of_.back(), raw_.back(), *keys_.back());
    }
  }
  std::vector<Packet> burst() {
    std::vector<Packet> packets;
    const std::size_t count = 1 + random_() % 100;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t k = random_() % keys_.size();
      const std::size_t length = random_() % 3 == 0 ? random_() % 1500 : random_() % 130;
      packets.push_back(packet(suite_of_[k], raw_[k], *keys_[k], length));
    }
    return packets;
  }

  std::vector<AeadSuite> suite_of_;
  std::vector<Secret<32>> raw_;
  std::vector<std::unique_ptr<AeadKey>> keys_;
};

INSTANTIATE_TEST_SUITE_P(Aead, MixedBursts,
                         testing::Values("avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"),
                         [](const auto& parameter) {
                           std::string title(parameter.param);
                           std::erase(title, '-');
                           return title;
                         });

TEST_P(MixedBursts, SealAndOpenLikeOpenssl) {
  for (int round = 0; round < 60; ++round) {
    auto packets = burst();
    expect_seals_and_opens(packets);
    if (HasFatalFailure()) return;
  }
}

TEST_P(MixedBursts, RefuseTheDamagedPacketsAndNoOther) {
  int damaged_packets = 0;
  for (int round = 0; round < 60; ++round) {
    auto packets = burst();
    std::vector<AeadJob> jobs;
    std::vector<bool> damaged;
    for (Packet& one : packets) {
      jobs.push_back(one.job(one.sealed, one.plain.size()));
      jobs.back().ok = random_() % 2 == 0;  // must be set either way
      damaged.push_back(random_() % 4 == 0);
      if (!damaged.back()) continue;
      ++damaged_packets;
      const std::size_t bit = random_() % (8 * one.sealed.size());
      one.in[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
    engine_->open_burst(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_EQ(jobs[i].ok, !damaged[i]) << packets[i].plain.size() << " bytes, round " << round;
      if (damaged[i]) continue;
      ASSERT_EQ(packets[i].result(packets[i].plain.size()), packets[i].plain);
    }
  }
  EXPECT_GT(damaged_packets, 300);
}

TEST_P(MixedBursts, RefuseAWrongKeyCounterOrLength) {
  auto packets = burst();
  for (Packet& one : packets) {
    AeadJob job = one.job(one.sealed, one.plain.size());
    job.counter ^= std::uint64_t{1} << 63;
    engine_->open_burst({&job, 1});
    EXPECT_FALSE(job.ok);
    const auto other = std::find_if(keys_.begin(), keys_.end(),
                                    [&](const auto& key) { return key.get() != one.key; });
    job = one.job(one.sealed, one.plain.size());
    job.key = other->get();
    engine_->open_burst({&job, 1});
    EXPECT_FALSE(job.ok);
    if (one.plain.empty()) continue;
    job = one.job(one.sealed, one.plain.size());
    job.length -= 1;
    engine_->open_burst({&job, 1});
    EXPECT_FALSE(job.ok);
  }
}

TEST_P(MixedBursts, RefuseEverySingleDamagedBitOfAPacket) {
  for (std::size_t k = 0; k < keys_.size(); ++k) {
    Packet one = packet(suite_of_[k], raw_[k], *keys_[k], 61);
    one.in_place = false;
    for (std::size_t bit = 0; bit < 8 * one.sealed.size(); ++bit) {
      AeadJob job = one.job(one.sealed, one.plain.size());
      one.in[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      job.ok = true;
      engine_->open_burst({&job, 1});
      ASSERT_FALSE(job.ok) << "bit " << bit;
    }
  }
}

TEST_P(AeadEngines, ShareExpandedKeysAmongInstances) {
  const auto other = make_aead_engine(GetParam());
  for (const AeadSuite suite : suites()) {
    const Secret<32> raw = random_key(random_);
    AeadKey key;
    other->expand(suite, raw, key);
    std::vector<Packet> packets;
    packets.push_back(packet(suite, raw, key, 600));
    expect_seals_and_opens(packets);
  }
}

TEST_P(AeadEngines, TakeAnEmptyBurst) {
  engine_->seal_burst({});
  engine_->open_burst({});
}

TEST_P(AeadEngines, LeaveNothingOfAKeyBehind) {
  const auto all_zero = [](std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; });
  };
  for (const AeadSuite suite : suites()) {
    alignas(AeadKey) std::uint8_t storage[sizeof(AeadKey)];
    auto* const key = new (storage) AeadKey;
    engine_->expand(suite, random_key(random_), *key);
    const std::span expanded(key->storage(), AeadKey::kStorage);
    EXPECT_FALSE(all_zero(expanded));
    key->~AeadKey();
    EXPECT_TRUE(all_zero(expanded));
  }
}

TEST(MakeAeadEngine, TakesTheBestOneByItself) {
  const auto engine = make_aead_engine();
  EXPECT_NE(engine->suites() & 1, 0) << "every engine has ChaCha20-Poly1305";
  for (const char* const wanted : {"avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"}) {
    try {
      EXPECT_EQ(make_aead_engine(wanted)->name(), engine->name());
      break;
    } catch (const std::runtime_error&) {
      EXPECT_STRNE(wanted, "libsodium") << "which is everywhere";
    }
  }
}

TEST(MakeAeadEngine, RefusesAnEngineNobodyKnows) {
  EXPECT_THROW(static_cast<void>(make_aead_engine("openssl")), std::runtime_error);
}

}  // namespace
}  // namespace ipop::engine
