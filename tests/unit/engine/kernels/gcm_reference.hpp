// The AES-256-GCM kernels of both families, and what they are held against: OpenSSL, one packet at
// a time; and packets that know what became of them.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"
#include "engine/aead/avx512/aes_gcm.hpp"
#include "engine/aead/gcm/processor.hpp"
#include "engine/aead/vaes256/aes_gcm.hpp"

namespace ipop::engine::gcm {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kFiller = 0xee;

struct Family {
  const char* name;
  bool (*runs_here)() noexcept;
  void (*seal_gcm)(AeadJob* jobs, std::size_t count) noexcept;
  void (*open_gcm)(AeadJob* jobs, std::size_t count) noexcept;
};
inline constexpr Family kFamilies[] = {
    {"avx512", processor_has_avx512_gcm, avx512::seal_gcm, avx512::open_gcm},
    {"vaes256", processor_has_vaes256_gcm, vaes256::seal_gcm, vaes256::open_gcm}};

// Once for each family.
class OfFamily : public testing::TestWithParam<Family> {
 public:
  static std::string title(const testing::TestParamInfo<Family>& info) { return info.param.name; }

 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "the processor cannot run " << GetParam().name;
  }
  static void seal_gcm(AeadJob* jobs, std::size_t count) { GetParam().seal_gcm(jobs, count); }
  static void open_gcm(AeadJob* jobs, std::size_t count) { GetParam().open_gcm(jobs, count); }
};

[[nodiscard]] Bytes random_bytes(std::mt19937_64& random, std::size_t size);

// A key in the kernel's form and as it is.
struct Key {
  std::array<std::uint8_t, 32> raw{};
  AeadKey expanded;

  explicit Key(std::mt19937_64& random);
};

[[nodiscard]] Bytes openssl_seal(const Key& key, std::uint64_t counter,
                                 std::span<const std::uint8_t> plain);

// One packet, at `shift` bytes behind the beginning of its buffers, and what OpenSSL made of it.
// Filler stands around what may be written.
class Packet {
 public:
  struct Form {
    std::size_t length = 0;
    std::size_t front = 0;
    std::size_t shift = 0;
    bool in_place = false;
  };

  Packet(const Key& key, std::uint64_t counter, const Form& form, std::mt19937_64& random);

  [[nodiscard]] AeadJob to_seal();
  [[nodiscard]] AeadJob to_open();
  // The bit of ciphertext or tag, before it is opened.
  void damage(std::size_t bit);
  [[nodiscard]] std::size_t bits() const { return 8 * sealed_.size(); }
  // Every byte is as it should be, also around.
  void expect_sealed(const AeadJob& job) const;
  void expect_opened(const AeadJob& job) const;

 private:
  static constexpr std::size_t kAround = 80;

  AeadJob job(const Bytes& text, std::size_t front, std::size_t out_size);
  void expect_out(const Bytes& wanted) const;

  const Key* key_;
  std::uint64_t counter_;
  Form form_;
  Bytes plain_;
  Bytes sealed_;
  Bytes front_;
  Bytes in_;
  Bytes out_;
};

}  // namespace ipop::engine::gcm
