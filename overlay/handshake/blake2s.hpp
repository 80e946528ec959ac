// BLAKE2s (RFC 7693) from libcrypto: the handshake's hash, its keyed MAC, and HMAC over it. Any
// thread. Inputs come in parts, as the formulas of the WireGuard paper (§5.4) have them; nothing
// that was hashed stays behind in memory. Throws std::bad_alloc if memory is short.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

#include "base/secret.hpp"

namespace ipop::overlay::handshake {

using Hash = std::array<std::uint8_t, 32>;
using Parts = std::initializer_list<ByteView>;

// The bytes of a label, without a terminating zero.
[[nodiscard]] inline ByteView label_bytes(std::string_view label) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(label.data()), label.size()};
}

[[nodiscard]] Hash blake2s(Parts parts);

// Keyed BLAKE2s of out.size() bytes. `key` and `out` have 1 to 32 bytes.
void blake2s_mac(ByteView key, Parts parts, MutableBytes out);

// HMAC (RFC 2104) with BLAKE2s. `out` may be one of the parts.
void hmac_blake2s(const Secret<32>& key, Parts parts, std::span<std::uint8_t, 32> out);

}  // namespace ipop::overlay::handshake
