#include "overlay/trust/x509/host_key.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>

#include "overlay/trust/state_file.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;
constexpr int kLeastRsa = 2048;
constexpr int kMostRsa = 8192;

struct Scheme {
  const EVP_MD* digest = nullptr;  // none for Ed25519, which has its own
  bool pss = false;
};

// Nothing for a key that is not taken.
std::optional<Scheme> scheme_of(const EVP_PKEY* key) {
  if (key == nullptr) return std::nullopt;
  if (EVP_PKEY_is_a(key, "ED25519")) return Scheme{};
  const int bits = EVP_PKEY_get_bits(key);
  if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) {
    if (bits < kLeastRsa || bits > kMostRsa) return std::nullopt;
    return Scheme{EVP_sha256(), true};
  }
  if (!EVP_PKEY_is_a(key, "EC")) return std::nullopt;
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return std::nullopt;
  const std::string_view name(group.data());
  if (name == "prime256v1" || name == "P-256") return Scheme{EVP_sha256(), false};
  if (name == "secp384r1" || name == "P-384") return Scheme{EVP_sha384(), false};
  return std::nullopt;
}

bool set_padding(const Scheme& scheme, EVP_PKEY_CTX* context) {
  if (!scheme.pss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

EVP_PKEY* make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEcdsaP256:
      return EVP_EC_gen("P-256");
    case KeyKind::kEcdsaP384:
      return EVP_EC_gen("P-384");
    case KeyKind::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case KeyKind::kRsa2048:
      return EVP_RSA_gen(2048u);
    case KeyKind::kRsa3072:
      return EVP_RSA_gen(3072u);
  }
  return nullptr;
}

// Whoever has no passphrase must not be asked for one on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

Result<HostKey> HostKey::generate(KeyKind kind) {
  ERR_clear_error();
  std::shared_ptr<EVP_PKEY> key(make_key(kind), [](EVP_PKEY* object) { EVP_PKEY_free(object); });
  if (!key) return fail("cannot make a key: " + take_openssl_error());
  return HostKey(std::move(key));
}

Result<HostKey> HostKey::parse_pem(std::string_view pem) {
  ERR_clear_error();
  const OwnedBio bio = memory_bio({reinterpret_cast<const std::uint8_t*>(pem.data()), pem.size()});
  bool asked = false;
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked),
                                [](EVP_PKEY* object) { EVP_PKEY_free(object); });
  if (asked) return fail("the key has a passphrase, which nobody is there to give");
  ERR_clear_error();
  if (!key) return fail("not a private key in PEM");
  if (!scheme_of(key.get())) {
    return fail(
        "a key of a kind that is not taken: RSA of 2048 to 8192 bits, ECDSA P-256 or "
        "P-384, or Ed25519");
  }
  return HostKey(std::move(key));
}

Result<HostKey> HostKey::load(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return fail_errno(file.string(), errno);
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(file.string() +
                ": others than its owner may use this private key; run: chmod 600 " +
                file.string());
  }
  auto text = read_state_file(file, kMaxKeyFile);
  if (!text) return std::unexpected(text.error());
  auto key = parse_pem(*text);
  OPENSSL_cleanse(text->data(), text->size());
  if (!key) return std::unexpected(key.error().within(file.string()));
  return key;
}

std::string HostKey::pem() const {
  const OwnedBio bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return {};
  }
  return content_of(bio.get());
}

bool HostKey::is_of(const Certificate& certificate) const {
  const EVP_PKEY* const other = X509_get0_pubkey(certificate.handle());
  const bool same = other != nullptr && EVP_PKEY_eq(key_.get(), other) == 1;
  ERR_clear_error();
  return same;
}

Result<std::vector<std::uint8_t>> HostKey::sign(ByteView message) const {
  ERR_clear_error();
  const auto scheme = scheme_of(key_.get());
  if (!scheme) return fail("a key of a kind that is not taken");
  const OwnedDigest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  std::size_t size = 0;
  if (!digest ||
      EVP_DigestSignInit(digest.get(), &context, scheme->digest, nullptr, key_.get()) != 1 ||
      !set_padding(*scheme, context) ||
      EVP_DigestSign(digest.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return fail("the host key cannot sign: " + take_openssl_error());
  }
  std::vector<std::uint8_t> signature(size);
  if (EVP_DigestSign(digest.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return fail("the host key cannot sign: " + take_openssl_error());
  }
  signature.resize(size);
  return signature;
}

bool verify(const Certificate& certificate, ByteView message, ByteView signature) {
  EVP_PKEY* const key = X509_get0_pubkey(certificate.handle());
  const auto scheme = scheme_of(key);
  const OwnedDigest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  const bool good =
      scheme && digest &&
      EVP_DigestVerifyInit(digest.get(), &context, scheme->digest, nullptr, key) == 1 &&
      set_padding(*scheme, context) &&
      EVP_DigestVerify(digest.get(), signature.data(), signature.size(), message.data(),
                       message.size()) == 1;
  ERR_clear_error();
  return good;
}

bool is_taken(const Certificate& certificate) {
  return is_taken(X509_get0_pubkey(certificate.handle()));
}

bool is_taken(const EVP_PKEY* key) {
  const bool taken = scheme_of(key).has_value();
  ERR_clear_error();
  return taken;
}

}  // namespace ipop::overlay::x509
