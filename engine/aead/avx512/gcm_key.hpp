// An expanded key of the AES-256-GCM burst kernel. Expanded once by the overlay thread, read by any
// lcore; plain data, wiped by whoever owns the memory. Needs AES, VPCLMULQDQ and AVX-512 (F, BW,
// DQ, VL): nothing here asks the processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipop::engine::avx512 {

// Twelve cache lines. A packet of up to 64 bytes touches only the last five: its powers end where
// the round keys begin.
struct alignas(64) GcmKey {
  // Enough that 32 blocks, the 8 registers that are worked on at a time, and the length block
  // behind them, each meet a power of their own. Powers up to 113, which save the reductions
  // between, make 1400 bytes 2.5 % faster while they are in the cache, and the key 2 KiB.
  static constexpr std::size_t kPowers = 33;
  static constexpr std::size_t kRounds = 14;

  // H^33, H^32 .. H^1, as ghash.hpp says.
  std::uint8_t powers[kPowers * 16];
  // FIPS 197's key schedule, in its order.
  std::uint8_t round_keys[(kRounds + 1) * 16];
};
static_assert(sizeof(GcmKey) == 768);

void expand_gcm_key(const std::uint8_t* raw32, GcmKey& key) noexcept;

}  // namespace ipop::engine::avx512
