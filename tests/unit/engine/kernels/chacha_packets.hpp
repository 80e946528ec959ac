// Packets for the kernels of ChaCha20-Poly1305 and what OpenSSL makes of them: the reference of
// their tests, one packet at a time and with the nonce written out.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"

namespace ipop::engine {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kFiller = 0xee;

// A key as the kernel expects it: raw, at the start of the storage, with a salt.
std::unique_ptr<AeadKey> random_key(std::mt19937_64& random);
Bytes random_bytes(std::mt19937_64& random, std::size_t size);
Bytes openssl_seal(const AeadKey& key, std::uint64_t counter, const Bytes& plain);

// One packet, its buffers with filler on both sides, and a job on them.
class Packet {
 public:
  Packet(std::mt19937_64& random, const AeadKey& key, std::uint64_t counter, std::size_t length);

  // Where in 64 bytes the buffers begin.
  void align(std::size_t in, std::size_t out);
  void set_in_place(bool in_place) { in_place_ = in_place; }
  void set_front(std::size_t length);

  // Jobs as if the packet had not been worked on; they point into it.
  [[nodiscard]] AeadJob seal_job();
  [[nodiscard]] AeadJob open_job();
  // Before open_job(): turns over one bit of what will be opened.
  void damage(std::size_t bit) { sealed_[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8); }

  [[nodiscard]] std::size_t sealed_bits() const { return 8 * sealed_.size(); }
  // That the output is right, and that nothing beside it was written.
  void expect_sealed() const;
  void expect_opened() const;

 private:
  static constexpr std::size_t kMargin = 256;

  [[nodiscard]] AeadJob job(const Bytes& from, std::size_t out_size);
  void expect_output(const Bytes& expected) const;

  const AeadKey* key_;
  std::uint64_t counter_;
  Bytes plain_;
  Bytes sealed_;
  bool in_place_ = false;
  std::size_t front_ = 0;
  std::size_t in_at_ = kMargin;
  std::size_t out_at_ = kMargin;
  // Aligned to 64 bytes, whatever the vector is.
  struct Buffer {
    Bytes bytes;
    std::size_t base = 0;
    void reset(std::size_t size);
    std::uint8_t* at(std::size_t offset) { return bytes.data() + base + offset; }
    [[nodiscard]] const std::uint8_t* at(std::size_t offset) const {
      return bytes.data() + base + offset;
    }
  };
  Buffer in_;
  Buffer out_;
  Bytes in_before_;
};

struct ChachaKernel {
  const char* name;
  bool (*runs_here)();
  void (*seal)(AeadJob* jobs, std::size_t count) noexcept;
  void (*open)(AeadJob* jobs, std::size_t count) noexcept;
};
extern const std::array<ChachaKernel, 2> kChachaKernels;
std::string name_of(const testing::TestParamInfo<ChachaKernel>& info);

// Tests of a kernel are skipped where the processor cannot run it.
class ChachaPoly : public testing::TestWithParam<ChachaKernel> {
 protected:
  void SetUp() override;
  // Seals and opens all of them in one burst, and compares.
  void expect_seals_and_opens(std::vector<Packet>& packets) const;

  std::mt19937_64 random_{20'26};
};

}  // namespace ipop::engine
