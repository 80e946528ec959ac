#include "overlay/trust/node_id.hpp"

#include <sodium.h>

namespace ipop::overlay {

NodeId NodeId::of(const SigningPublicKey& key) noexcept {
  // "First 20 bytes of BLAKE2b": of the 64-byte digest, not BLAKE2b with a 20-byte output, which is
  // another function.
  std::array<std::uint8_t, crypto_generichash_BYTES_MAX> digest{};
  crypto_generichash(digest.data(), digest.size(), key.data(), key.size(), nullptr, 0);
  NodeId id;
  std::memcpy(id.bytes.data(), digest.data(), id.bytes.size());
  return id;
}

}  // namespace ipop::overlay
