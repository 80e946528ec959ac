// An expanded key of the AES-256-GCM burst kernels. Expanded once by the overlay thread, read by
// any lcore; plain data, wiped by whoever owns the memory. Needs AES, PCLMULQDQ and AVX: nothing
// here asks the processor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/aead/aead.hpp"

namespace ipop::engine::gcm {

// Twelve cache lines. A packet of up to 64 bytes touches only the last five: its powers end where
// the round keys begin.
struct alignas(64) GcmKey {
  // Enough that 32 blocks, the most that a kernel sums before it reduces, and the length block
  // behind them, each meet a power of their own. Powers up to 113, which save the reductions
  // between, make 1400 bytes 2.5 % faster with AVX-512 while they are in the cache, and the key
  // 2 KiB.
  static constexpr std::size_t kPowers = 33;
  static constexpr std::size_t kHalfSums = 17;
  static constexpr std::size_t kRounds = 14;

  // H^33, H^32 .. H^1, as ghash.hpp of a kernel says.
  std::uint8_t powers[kPowers * 16];
  // FIPS 197's key schedule, in its order.
  std::uint8_t round_keys[(kRounds + 1) * 16];
  // Of H^17 .. H^1 the sum of both halves, twice, for Karatsuba's multiplication. For 256 bits
  // alone.
  std::uint8_t half_sums[kHalfSums * 16];
};
static_assert(sizeof(GcmKey) == 1088);
static_assert(sizeof(GcmKey) <= AeadKey::kStorage);

void expand_gcm_key(const std::uint8_t* raw32, GcmKey& key) noexcept;

[[gnu::always_inline]] inline const GcmKey& key_of(const AeadJob& job) {
  return *reinterpret_cast<const GcmKey*>(job.key->storage());
}
// Where H^exponent stands, and the lower ones behind it.
[[gnu::always_inline]] inline const std::uint8_t* powers_from(const GcmKey& key,
                                                              std::size_t exponent) {
  return key.powers + (GcmKey::kPowers - exponent) * 16;
}
// The powers that the blocks of the last `length` bytes meet, to H^2 for the last. The last
// register may have fewer blocks than it holds; what is loaded for the others is of no account, and
// of the key.
[[gnu::always_inline]] inline const std::uint8_t* last_powers(const GcmKey& key,
                                                              std::size_t length) {
  return powers_from(key, (length + 15) / 16 + 1);
}
[[gnu::always_inline]] inline const std::uint8_t* round_key(const GcmKey& key, int round) {
  return key.round_keys + round * 16;
}

}  // namespace ipop::engine::gcm
