#include "overlay/handshake/blake2s.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <new>
#include <stdexcept>

namespace ipop::overlay::handshake {
namespace {

constexpr std::size_t kBlockSize = 64;

struct Free {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

// Fetching takes libcrypto's locks and a search, so it is done once; freed with the process.
const EVP_MD* hash_algorithm() {
  static const EVP_MD* const algorithm = [] {
    const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr);
    if (fetched == nullptr) throw std::runtime_error("libcrypto does not provide BLAKE2S-256");
    return fetched;
  }();
  return algorithm;
}

EVP_MAC* mac_algorithm() {
  static EVP_MAC* const algorithm = [] {
    EVP_MAC* const fetched = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_BLAKE2SMAC, nullptr);
    if (fetched == nullptr) throw std::runtime_error("libcrypto does not provide BLAKE2SMAC");
    return fetched;
  }();
  return algorithm;
}

// Apart from a lack of memory, these calls have no way to fail with the arguments given here.
void require(bool success) {
  if (!success) throw std::bad_alloc();
}

// One context, which libcrypto wipes when it is freed, for as many hashes as its owner needs.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new()) { require(context_ != nullptr); }

  void start() { require(EVP_DigestInit_ex2(context_.get(), hash_algorithm(), nullptr) == 1); }
  void add(ByteView bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  void finish(std::span<std::uint8_t, 32> out) {
    require(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) == 1);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

Secret<kBlockSize> padded(const Secret<32>& key, std::uint8_t pad) {
  Secret<kBlockSize> block;
  for (std::size_t i = 0; i < kBlockSize; ++i) {
    const std::uint8_t byte = i < Secret<32>::kSize ? key.data()[i] : std::uint8_t{0};
    block.data()[i] = static_cast<std::uint8_t>(byte ^ pad);
  }
  return block;
}

}  // namespace

Hash blake2s(Parts parts) {
  Hash out;
  Hasher hasher;
  hasher.start();
  for (const ByteView part : parts)
    hasher.add(part);
  hasher.finish(out);
  return out;
}

void blake2s_mac(ByteView key, Parts parts, MutableBytes out) {
  const std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_new(mac_algorithm()));
  require(context != nullptr);
  std::size_t size = out.size();
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_end()};
  require(EVP_MAC_init(context.get(), key.data(), key.size(), params) == 1);
  for (const ByteView part : parts) {
    require(EVP_MAC_update(context.get(), part.data(), part.size()) == 1);
  }
  require(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1);
}

// Done here rather than with libcrypto's HMAC, which fetches its digest by name for each key.
void hmac_blake2s(const Secret<32>& key, Parts parts, std::span<std::uint8_t, 32> out) {
  Secret<32> inner;
  Hasher hasher;
  hasher.start();
  hasher.add(padded(key, 0x36).bytes());
  for (const ByteView part : parts)
    hasher.add(part);
  hasher.finish(inner.bytes());
  hasher.start();
  hasher.add(padded(key, 0x5c).bytes());
  hasher.add(inner.bytes());
  hasher.finish(out);
}

}  // namespace ipop::overlay::handshake
