// The private key of a host's certificate: it signs key bindings, and requests to a CA. Start-up,
// reload and `ipop ca`; never on the wire. OpenSSL wipes it when it goes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "overlay/trust/x509/certificate.hpp"

using EVP_PKEY = struct evp_pkey_st;

namespace ipop::overlay::x509 {

enum class KeyKind : std::uint8_t { kEcdsaP256, kEcdsaP384, kEd25519, kRsa2048, kRsa3072 };

class HostKey {
 public:
  [[nodiscard]] static Result<HostKey> generate(KeyKind kind);
  // PEM, PKCS#8 or the older forms, without a passphrase. Fails if the file is not a regular one,
  // or if others than its owner may read it.
  [[nodiscard]] static Result<HostKey> load(const std::filesystem::path& file);
  [[nodiscard]] static Result<HostKey> parse_pem(std::string_view pem);
  [[nodiscard]] std::string pem() const;  // PKCS#8; a secret

  [[nodiscard]] bool is_of(const Certificate& certificate) const;
  // By the scheme of its kind: see verify().
  [[nodiscard]] Result<std::vector<std::uint8_t>> sign(ByteView message) const;
  [[nodiscard]] EVP_PKEY* handle() const noexcept { return key_.get(); }

 private:
  explicit HostKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
  std::shared_ptr<EVP_PKEY> key_;
};

// Whether `signature` is that of the certificate's key over `message`. One scheme for each kind of
// key, so that none is chosen on the wire: RSA by RSASSA-PSS with SHA-256 and 32 bytes of salt,
// ECDSA P-256 with SHA-256, P-384 with SHA-384, Ed25519. Others, and RSA keys below 2048 or above
// 8192 bits, are not taken (`is_taken`).
[[nodiscard]] bool verify(const Certificate& certificate, ByteView message, ByteView signature);
[[nodiscard]] bool is_taken(const Certificate& certificate);
[[nodiscard]] bool is_taken(const EVP_PKEY* key);

}  // namespace ipop::overlay::x509
