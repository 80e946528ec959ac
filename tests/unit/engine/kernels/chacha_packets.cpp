#include "chacha_packets.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "engine/aead/avx512/chacha_poly.hpp"
#include "engine/aead/chacha256/chacha_poly.hpp"

namespace ipop::engine {

namespace {

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

}  // namespace

const std::array<ChachaKernel, 2> kChachaKernels{
    ChachaKernel{"avx512", has_avx512, avx512::seal_chacha_poly, avx512::open_chacha_poly},
    ChachaKernel{"chacha256", has_avx2, chacha256::seal_chacha_poly, chacha256::open_chacha_poly}};

std::string name_of(const testing::TestParamInfo<ChachaKernel>& info) {
  return info.param.name;
}

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::unique_ptr<AeadKey> random_key(std::mt19937_64& random) {
  auto key = std::make_unique<AeadKey>();
  std::memcpy(key->storage(), random_bytes(random, 32).data(), 32);
  key->salt = static_cast<std::uint32_t>(random());
  return key;
}

Bytes openssl_seal(const AeadKey& key, std::uint64_t counter, const Bytes& plain) {
  std::uint8_t nonce[12];
  std::memcpy(nonce, &key.salt, 4);
  for (int i = 0; i < 8; ++i)
    nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  Bytes sealed(plain.size() + kTagSize);
  int written = 0;
  int done =
      EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.storage(), nonce);
  done &= EVP_EncryptUpdate(context.get(), sealed.data(), &written, plain.data(),
                            static_cast<int>(plain.size()));
  done &= EVP_EncryptFinal_ex(context.get(), sealed.data() + written, &written);
  done &= EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize,
                              sealed.data() + plain.size());
  EXPECT_EQ(done, 1);
  return sealed;
}

void Packet::Buffer::reset(std::size_t size) {
  bytes.assign(size + 64, kFiller);
  base = -reinterpret_cast<std::uintptr_t>(bytes.data()) % 64;
}

Packet::Packet(std::mt19937_64& random, const AeadKey& key, std::uint64_t counter,
               std::size_t length)
    : key_(&key),
      counter_(counter),
      plain_(random_bytes(random, length)),
      sealed_(openssl_seal(key, counter, plain_)) {}

void Packet::align(std::size_t in, std::size_t out) {
  in_at_ = kMargin + in;
  out_at_ = kMargin + out;
}

void Packet::set_front(std::size_t length) {
  front_ = length;
  in_place_ = false;
}

AeadJob Packet::job(const Bytes& from, std::size_t out_size) {
  in_.reset(in_at_ + sealed_.size() + kMargin);
  std::copy(from.begin(), from.end(), in_.at(in_at_));
  if (!in_place_) out_.reset(out_at_ + out_size + kMargin);
  return {.key = key_,
          .in = in_.at(in_at_),
          .out = in_place_ ? in_.at(in_at_) : out_.at(out_at_),
          .length = static_cast<std::uint32_t>(plain_.size()),
          .counter = counter_};
}

AeadJob Packet::seal_job() {
  AeadJob made = job(plain_, sealed_.size());
  if (front_ != 0) {
    // What the front replaces is other bytes, and stays what it is.
    std::memset(in_.at(in_at_), kFiller, front_);
    made.in += front_;
    made.front = plain_.data();
    made.front_length = static_cast<std::uint32_t>(front_);
  }
  in_before_ = in_.bytes;
  return made;
}

AeadJob Packet::open_job() {
  AeadJob made = job(sealed_, plain_.size());
  made.ok = true;
  in_before_ = in_.bytes;
  return made;
}

void Packet::expect_output(const Bytes& expected) const {
  const Buffer& written = in_place_ ? in_ : out_;
  const std::size_t at = written.base + (in_place_ ? in_at_ : out_at_);
  Bytes whole = in_place_ ? in_before_ : Bytes(written.bytes.size(), kFiller);
  std::copy(expected.begin(), expected.end(), whole.begin() + static_cast<std::ptrdiff_t>(at));
  EXPECT_TRUE(written.bytes == whole) << plain_.size() << " bytes, front " << front_;
  if (!in_place_) {
    EXPECT_TRUE(in_.bytes == in_before_) << "the source was written";
  }
}

void Packet::expect_sealed() const {
  expect_output(openssl_seal(*key_, counter_, plain_));
}

void Packet::expect_opened() const {
  expect_output(plain_);
}

void ChachaPoly::SetUp() {
  if (!GetParam().runs_here()) GTEST_SKIP() << "this processor cannot run " << GetParam().name;
}

void ChachaPoly::expect_seals_and_opens(std::vector<Packet>& packets) const {
  std::vector<AeadJob> jobs;
  for (Packet& packet : packets)
    jobs.push_back(packet.seal_job());
  GetParam().seal(jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(jobs[i].ok);
    packets[i].expect_sealed();
  }
  jobs.clear();
  for (Packet& packet : packets)
    jobs.push_back(packet.open_job());
  GetParam().open(jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(jobs[i].ok);
    packets[i].expect_opened();
  }
}

}  // namespace ipop::engine
