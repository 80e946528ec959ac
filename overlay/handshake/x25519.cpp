#include "overlay/handshake/x25519.hpp"

#include <sodium.h>

namespace ipop::overlay::handshake {

ExchangePublicKey x25519_public(std::span<const std::uint8_t, 32> secret) noexcept {
  ExchangePublicKey key;
  crypto_scalarmult_curve25519_base(key.data(), secret.data());
  return key;
}

std::optional<Secret<32>> x25519(std::span<const std::uint8_t, 32> secret,
                                 std::span<const std::uint8_t, 32> remote) noexcept {
  std::optional<Secret<32>> shared(std::in_place);
  if (crypto_scalarmult_curve25519(shared->data(), secret.data(), remote.data()) != 0 ||
      shared->is_zero()) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace ipop::overlay::handshake
