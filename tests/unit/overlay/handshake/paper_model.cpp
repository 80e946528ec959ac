#include "paper_model.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>
#include <stdexcept>

namespace ipop::overlay::handshake::testing {
namespace {

template <auto Function>
struct FreeWith {
  void operator()(auto* at) const { Function(at); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

void require(bool success) {
  if (!success) throw std::runtime_error("libcrypto failed");
}

Bytes bytes(const auto& range) {
  return Bytes(range.begin(), range.end());
}

Bytes operator+(Bytes left, const Bytes& right) {  // "‖" of the paper
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes little_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

Bytes dh_public(const Bytes& secret) {
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), 32));
  Bytes out(32);
  std::size_t size = 32;
  require(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1);
  return out;
}

Bytes dh(const Bytes& secret, const Bytes& public_key) {
  const Key mine(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), 32));
  const Key theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, public_key.data(), 32));
  const std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new(mine.get(), nullptr));
  Bytes out(32);
  std::size_t size = 32;
  require(EVP_PKEY_derive_init(context.get()) == 1);
  require(EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1);
  require(EVP_PKEY_derive(context.get(), out.data(), &size) == 1);
  return out;
}

// The first n keys of Kdf, as HKDF computes them: salt = key, no info.
std::vector<Bytes> kdf(std::size_t n, const Bytes& key, const Bytes& input) {
  const std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>> algorithm(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>> context(
      EVP_KDF_CTX_new(algorithm.get()));
  char digest[] = "BLAKE2S-256";
  Bytes salt = key;
  Bytes secret = input;
  std::uint8_t nothing = 0;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                        secret.empty() ? &nothing : secret.data(), secret.size()),
      OSSL_PARAM_construct_end()};
  Bytes out(32 * n);
  require(EVP_KDF_derive(context.get(), out.data(), out.size(), params) == 1);
  std::vector<Bytes> keys;
  for (std::size_t i = 0; i < n; ++i) {
    keys.emplace_back(out.begin() + static_cast<std::ptrdiff_t>(32 * i),
                      out.begin() + static_cast<std::ptrdiff_t>(32 * (i + 1)));
  }
  return keys;
}

Bytes aead(const Bytes& key, const Bytes& plaintext, const Bytes& additional) {
  return model_seal(key, Bytes(12), plaintext, additional);
}

Bytes with_macs(const Script& script, const Bytes& receiver_public, Bytes message) {
  const Bytes labelled = text("mac1----") + receiver_public;
  const Bytes key = script.form == Form::kWireGuard
                        ? model_hash(labelled)
                        : model_mac(bytes(script.network_mac.bytes()), labelled, 32);
  return message + model_mac(key, message, 16) + Bytes(16);
}

}  // namespace

Bytes text(std::string_view characters) {
  return bytes(characters);
}

Bytes model_hash(const Bytes& input) {
  Bytes out(32);
  std::size_t size = 0;
  require(EVP_Q_digest(nullptr, "BLAKE2S-256", nullptr, input.data(), input.size(), out.data(),
                       &size) == 1);
  return out;
}

Bytes model_mac(const Bytes& key, const Bytes& input, std::size_t size) {
  Bytes out(size);
  std::size_t out_size = size;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
  require(EVP_Q_mac(nullptr, "BLAKE2SMAC", nullptr, nullptr, params, key.data(), key.size(),
                    input.data(), input.size(), out.data(), out.size(), &out_size) != nullptr);
  return out;
}

Bytes model_seal(const Bytes& key, const Bytes& nonce, const Bytes& plaintext,
                 const Bytes& additional) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>> context(
      EVP_CIPHER_CTX_new());
  Bytes out(plaintext.size() + 16);
  int size = 0;
  require(EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.data(),
                             nonce.data()) == 1);
  require(EVP_EncryptUpdate(context.get(), nullptr, &size, additional.data(),
                            static_cast<int>(additional.size())) == 1);
  if (!plaintext.empty()) {
    require(EVP_EncryptUpdate(context.get(), out.data(), &size, plaintext.data(),
                              static_cast<int>(plaintext.size())) == 1);
  }
  require(EVP_EncryptFinal_ex(context.get(), out.data() + plaintext.size(), &size) == 1);
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16,
                              out.data() + plaintext.size()) == 1);
  return out;
}

// Names as in the paper: i and r for the parties, C, H, k, kappa (key), tau, Q (preshared key).
Play play(const Script& script) {
  const bool wireguard = script.form == Form::kWireGuard;
  const Bytes s_i = bytes(script.initiator_secret.bytes());
  const Bytes e_i = bytes(script.initiator_ephemeral.bytes());
  const Bytes s_r = bytes(script.responder_secret.bytes());
  const Bytes e_r = bytes(script.responder_ephemeral.bytes());
  const Bytes s_i_pub = dh_public(s_i), e_i_pub = dh_public(e_i);
  const Bytes s_r_pub = dh_public(s_r), e_r_pub = dh_public(e_r);

  // §5.4.2, first message.
  Bytes c = model_hash(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  Bytes h = model_hash(c + text(wireguard ? "WireGuard v1 zx2c4 Jason@zx2c4.com"
                                          : "ipop v1 handshake with payloads"));
  h = model_hash(h + s_r_pub);
  c = kdf(1, c, e_i_pub)[0];
  h = model_hash(h + e_i_pub);
  auto keys = kdf(2, c, dh(e_i, s_r_pub));
  c = keys[0];
  const Bytes sealed_static = aead(keys[1], s_i_pub, h);
  h = model_hash(h + sealed_static);
  keys = kdf(2, c, dh(s_i, s_r_pub));
  c = keys[0];
  const Bytes sealed_timestamp =
      aead(keys[1], bytes(script.timestamp) + script.initiation_payload, h);
  h = model_hash(h + sealed_timestamp);
  const Bytes first = Bytes{static_cast<std::uint8_t>(wireguard ? 1 : 0x11), 0, 0, 0} +
                      little_endian(script.initiator_index) + e_i_pub + sealed_static +
                      sealed_timestamp;

  // §5.4.3, second message.
  c = kdf(1, c, e_r_pub)[0];
  h = model_hash(h + e_r_pub);
  c = kdf(1, c, dh(e_r, e_i_pub))[0];
  c = kdf(1, c, dh(e_r, s_i_pub))[0];
  keys = kdf(3, c, bytes(script.psk.bytes()));
  c = keys[0];
  h = model_hash(h + keys[1]);
  const Bytes sealed_empty = aead(keys[2], script.response_payload, h);
  const Bytes second = Bytes{static_cast<std::uint8_t>(wireguard ? 2 : 0x12), 0, 0, 0} +
                       little_endian(script.responder_index) +
                       little_endian(script.initiator_index) + e_r_pub + sealed_empty;

  // §5.4.5, transport keys.
  keys = kdf(2, c, {});
  return {.initiation = with_macs(script, s_r_pub, first),
          .response = with_macs(script, s_i_pub, second),
          .initiator_to_responder = keys[0],
          .responder_to_initiator = keys[1]};
}

}  // namespace ipop::overlay::handshake::testing
