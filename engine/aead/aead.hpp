// The AEAD of data datagrams, a burst at a time: our own kernels on processors that they are
// written for, intel-ipsec-mb on other x86, libsodium elsewhere. Nonce: the key's salt, which
// WireGuard leaves at zero, then the counter in little endian (WireGuard paper §5.4.6), for both
// suites; no additional data; a 16-byte tag behind the ciphertext. Each lcore owns one AeadEngine.
// Keys are expanded by the overlay thread with an engine of its own and may be used by any lcore's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/api/types.hpp"

namespace ipop::engine {

inline constexpr std::size_t kTagSize = 16;

// An expanded key: as large as the largest engine needs, wiped when it goes away.
class alignas(64) AeadKey {
 public:
  AeadKey() noexcept = default;
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;
  ~AeadKey();

  static constexpr std::size_t kStorage = 1088;

  // The first four bytes of every nonce, as they stand in memory (the salt of RFC 4106).
  std::uint32_t salt = 0;

  // What the engine that expanded it has put there; at the start, for ChaCha20, the raw key. Always
  // inlined, lest a source compiled for a newer processor gives the linker its copy for all.
  [[nodiscard, gnu::always_inline]] const std::uint8_t* storage() const noexcept {
    return storage_;
  }
  [[nodiscard, gnu::always_inline]] std::uint8_t* storage() noexcept { return storage_; }

 private:
  friend class AeadEngine;
  friend class IpsecMbAead;
  friend class KernelAead;
  friend class SodiumAead;
  AeadSuite suite_ = AeadSuite::kChaCha20Poly1305;
  alignas(64) std::uint8_t storage_[kStorage]{};
};

// One packet. Sealing reads `length` bytes at `in` and writes length + kTagSize at `out`. Opening
// reads length + kTagSize at `in` and writes `length` at `out` (also when it fails: the caller must
// not use them). `in` and `out` are the same or do not overlap.
// For sealing alone, `front` may name `front_length` bytes that stand before what is at `in`
// (`length` counts both). `in` then has so many bytes in front of it that may be written, but only
// when all jobs before this one are done: the segments of a super-packet lie one behind another,
// and each one's headers take the place of the tail of the one before. `out` must not overlap them.
struct AeadJob {
  const AeadKey* key = nullptr;
  const std::uint8_t* in = nullptr;
  std::uint8_t* out = nullptr;
  std::uint32_t length = 0;
  std::uint64_t counter = 0;
  const std::uint8_t* front = nullptr;
  std::uint32_t front_length = 0;
  // Set by both: it is sealed, or the tag was right. What was not sealed may still be plaintext.
  bool ok = false;
};

class AeadEngine {
 public:
  virtual ~AeadEngine() = default;

  virtual void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const = 0;
  // Any number of jobs, any mix of keys and suites; fastest when jobs of a key stand together.
  virtual void seal_burst(std::span<AeadJob> jobs) noexcept = 0;
  virtual void open_burst(std::span<AeadJob> jobs) noexcept = 0;
  // "avx512", "vaes256", "avx2", "ipsec-mb (avx2)", "libsodium"; a string that lives for ever.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // A bit per AeadSuite (1 << suite) that this engine has on this processor.
  [[nodiscard]] virtual std::uint8_t suites() const noexcept = 0;
};

// The best engine of this machine, after it has passed known-answer tests; throws
// std::runtime_error if none does. `forced`: nullptr, "avx512", "vaes256", "avx2",
// "ipsec-mb" or "libsodium".
[[nodiscard]] std::unique_ptr<AeadEngine> make_aead_engine(const char* forced = nullptr);

}  // namespace ipop::engine
