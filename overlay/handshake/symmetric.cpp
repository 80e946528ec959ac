#include "overlay/handshake/symmetric.hpp"

#include <sodium.h>

#include "overlay/handshake/x25519.hpp"

namespace ipop::overlay::handshake {
namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kWireGuardIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";
constexpr std::string_view kIpopIdentifier = "ipop v1 handshake with payloads";

// Each key seals one field, so its nonce is always zero.
constexpr std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> kZeroNonce{};

void mix_hash(SymmetricState& state, ByteView bytes) {
  state.hash = blake2s({state.hash, bytes});
}

void mix_key(SymmetricState& state, ByteView input) {
  derive_keys(state.chaining_key, input, {&state.chaining_key, 1});
}

}  // namespace

SymmetricState start_transcript(Form form, const ExchangePublicKey& responder) {
  const bool wireguard = form == Form::kWireGuard;
  SymmetricState state;
  const Hash construction = blake2s({label_bytes(kConstruction)});
  state.chaining_key = Secret<32>(construction);
  state.hash =
      blake2s({construction, label_bytes(wireguard ? kWireGuardIdentifier : kIpopIdentifier)});
  mix_hash(state, responder);
  return state;
}

void mix_ephemeral(SymmetricState& state, std::span<const std::uint8_t, 32> public_key) {
  mix_key(state, public_key);
  mix_hash(state, public_key);
}

bool mix_exchange(SymmetricState& state, std::span<const std::uint8_t, 32> secret,
                  std::span<const std::uint8_t, 32> remote) {
  const auto shared = x25519(secret, remote);
  if (!shared) return false;
  mix_key(state, shared->bytes());
  return true;
}

bool mix_exchange(SymmetricState& state, std::span<const std::uint8_t, 32> secret,
                  std::span<const std::uint8_t, 32> remote, Secret<32>& cipher_key) {
  const auto shared = x25519(secret, remote);
  if (!shared) return false;
  const auto keys = derive_keys<2>(state.chaining_key, shared->bytes());
  state.chaining_key = keys[0];
  cipher_key = keys[1];
  return true;
}

Secret<32> mix_psk(SymmetricState& state, const Secret<32>& psk) {
  const auto keys = derive_keys<3>(state.chaining_key, psk.bytes());
  state.chaining_key = keys[0];
  mix_hash(state, keys[1].bytes());
  return keys[2];
}

void seal_field(SymmetricState& state, const Secret<32>& key, ByteView plaintext,
                MutableBytes sealed) {
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plaintext.data(),
                                            plaintext.size(), state.hash.data(), state.hash.size(),
                                            nullptr, kZeroNonce.data(), key.data());
  mix_hash(state, sealed);
}

bool open_field(SymmetricState& state, const Secret<32>& key, ByteView sealed,
                MutableBytes plaintext) {
  if (crypto_aead_chacha20poly1305_ietf_decrypt(plaintext.data(), nullptr, nullptr, sealed.data(),
                                                sealed.size(), state.hash.data(), state.hash.size(),
                                                kZeroNonce.data(), key.data()) != 0) {
    return false;
  }
  mix_hash(state, sealed);
  return true;
}

std::array<Secret<32>, 2> split(const SymmetricState& state) {
  return derive_keys<2>(state.chaining_key, {});
}

}  // namespace ipop::overlay::handshake
