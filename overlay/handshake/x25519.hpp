// X25519 (RFC 7748) from libsodium. Any thread.
#pragma once

#include <optional>

#include "base/secret.hpp"
#include "overlay/trust/node_id.hpp"

namespace ipop::overlay::handshake {

[[nodiscard]] ExchangePublicKey x25519_public(std::span<const std::uint8_t, 32> secret) noexcept;

// The shared secret; nothing if it is all zero, which is so exactly for the points of low order:
// such a "public key" would make the result independent of our secret.
[[nodiscard]] std::optional<Secret<32>> x25519(std::span<const std::uint8_t, 32> secret,
                                               std::span<const std::uint8_t, 32> remote) noexcept;

}  // namespace ipop::overlay::handshake
