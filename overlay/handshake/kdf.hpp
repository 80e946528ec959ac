// Kdf_n of the WireGuard paper (§5.4): HKDF (RFC 5869) with HMAC-BLAKE2s, the chaining key as salt
// and no info. Any thread.
#pragma once

#include "overlay/handshake/blake2s.hpp"

namespace ipop::overlay::handshake {

// Fills `keys` in order, 1 to 255 of them. `salt` may be one of `keys`.
void derive_keys(const Secret<32>& salt, ByteView input, std::span<Secret<32>> keys);

template <std::size_t N>
[[nodiscard]] std::array<Secret<32>, N> derive_keys(const Secret<32>& salt, ByteView input) {
  std::array<Secret<32>, N> keys;
  derive_keys(salt, input, keys);
  return keys;
}

}  // namespace ipop::overlay::handshake
