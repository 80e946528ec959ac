#include "engine/aead/sodium_aead.hpp"

#include <sodium.h>

#include <cstring>
#include <stdexcept>

#include "engine/aead/nonce.hpp"

namespace ipop::engine {
namespace {

static_assert(sizeof(crypto_aead_aes256gcm_state) <= AeadKey::kStorage);
static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES <= AeadKey::kStorage);
static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == kNonceSize);
static_assert(crypto_aead_aes256gcm_NPUBBYTES == kNonceSize);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == kTagSize);
static_assert(crypto_aead_aes256gcm_ABYTES == kTagSize);

using GcmState = const crypto_aead_aes256gcm_state;

}  // namespace

SodiumAead::SodiumAead() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  suites_ = suite_bit(AeadSuite::kChaCha20Poly1305);
  if (crypto_aead_aes256gcm_is_available() != 0) suites_ |= suite_bit(AeadSuite::kAes256Gcm);
}

void SodiumAead::expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const {
  if ((suites_ & suite_bit(suite)) == 0) {
    throw std::runtime_error("libsodium has no AES-256-GCM on this processor");
  }
  key.suite_ = suite;
  if (suite == AeadSuite::kAes256Gcm) {
    crypto_aead_aes256gcm_beforenm(reinterpret_cast<crypto_aead_aes256gcm_state*>(key.storage_),
                                   raw.data());
  } else {
    std::memcpy(key.storage_, raw.data(), raw.bytes().size());
  }
}

void SodiumAead::seal_burst(std::span<AeadJob> jobs) noexcept {
  for (AeadJob& job : jobs) {
    const auto nonce = nonce_of(job);
    std::uint8_t* const tag = job.out + job.length;
    const std::uint8_t* const in = bring_front(job);
    if (job.key->suite_ == AeadSuite::kAes256Gcm) {
      crypto_aead_aes256gcm_encrypt_detached_afternm(
          job.out, tag, nullptr, in, job.length, nullptr, 0, nullptr, nonce.data(),
          reinterpret_cast<GcmState*>(job.key->storage_));
    } else {
      crypto_aead_chacha20poly1305_ietf_encrypt_detached(job.out, tag, nullptr, in, job.length,
                                                         nullptr, 0, nullptr, nonce.data(),
                                                         job.key->storage_);
    }
    job.ok = true;
  }
}

void SodiumAead::open_burst(std::span<AeadJob> jobs) noexcept {
  for (AeadJob& job : jobs) {
    const auto nonce = nonce_of(job);
    const std::uint8_t* const tag = job.in + job.length;
    int refused;
    if (job.key->suite_ == AeadSuite::kAes256Gcm) {
      refused = crypto_aead_aes256gcm_decrypt_detached_afternm(
          job.out, nullptr, job.in, job.length, tag, nullptr, 0, nonce.data(),
          reinterpret_cast<GcmState*>(job.key->storage_));
    } else {
      refused = crypto_aead_chacha20poly1305_ietf_decrypt_detached(
          job.out, nullptr, job.in, job.length, tag, nullptr, 0, nonce.data(), job.key->storage_);
    }
    job.ok = refused == 0;
  }
}

}  // namespace ipop::engine
