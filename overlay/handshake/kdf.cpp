#include "overlay/handshake/kdf.hpp"

namespace ipop::overlay::handshake {

void derive_keys(const Secret<32>& salt, ByteView input, std::span<Secret<32>> keys) {
  Secret<32> extracted;
  hmac_blake2s(salt, {input}, extracted.bytes());
  ByteView previous;
  std::uint8_t number = 0;
  for (Secret<32>& key : keys) {
    ++number;
    hmac_blake2s(extracted, {previous, ByteView(&number, 1)}, key.bytes());
    previous = key.bytes();
  }
}

}  // namespace ipop::overlay::handshake
