#include "overlay/trust/x509/certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

constexpr std::size_t kMostListed = 8;

using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

Names alternative_names(const ::X509* certificate) {
  Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  return names;
}

}  // namespace

Result<Certificate> Certificate::take(::X509* raw) {
  std::shared_ptr<::X509> certificate(raw, [](::X509* object) { X509_free(object); });
  if (!certificate) return fail("not a certificate: " + take_openssl_error());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate.get(), &encoded);
  if (size <= 0) return fail("not a certificate: " + take_openssl_error());
  std::vector<std::uint8_t> der(encoded, encoded + size);
  OPENSSL_free(encoded);
  if (der.size() > kMaxCertificate) {
    return fail("a certificate of " + std::to_string(der.size()) + " bytes; at most " +
                std::to_string(kMaxCertificate) + " are taken");
  }
  return Certificate(std::move(certificate), std::move(der));
}

Result<Certificate> Certificate::parse_der(ByteView der) {
  if (der.empty()) return fail("not a certificate: nothing is there");
  if (der.size() > kMaxCertificate) return fail("not a certificate: it is too long");
  ERR_clear_error();
  const unsigned char* at = der.data();
  auto certificate = take(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  // Only the one encoding, so that the bytes stand for the certificate.
  if (certificate && !std::ranges::equal(certificate->der_, der)) {
    return fail("not a certificate: it is not in DER, or something stands behind it");
  }
  return certificate;
}

Result<std::vector<Certificate>> Certificate::parse_pem(std::string_view pem, std::size_t most) {
  if (pem.size() > kMaxPem) return fail("longer than 1 MiB, the most that is read");
  const OwnedBio bio = memory_bio({reinterpret_cast<const std::uint8_t*>(pem.data()), pem.size()});
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (::X509* const next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    auto certificate = take(next);
    if (!certificate) return std::unexpected(certificate.error());
    if (certificates.size() == most) {
      return fail("more than " + std::to_string(most) + " certificates");
    }
    certificates.push_back(std::move(*certificate));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return fail("a damaged certificate: " + take_openssl_error());
  ERR_clear_error();
  if (certificates.empty()) return fail("no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  return certificates;
}

std::string Certificate::pem() const {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), handle()) != 1) return {};
  return content_of(bio.get());
}

WallTime Certificate::not_before() const {
  return to_wall_time(X509_get0_notBefore(handle()));
}

WallTime Certificate::not_after() const {
  return to_wall_time(X509_get0_notAfter(handle()));
}

bool Certificate::is_ca() const {
  return (X509_get_extension_flags(handle()) & EXFLAG_CA) != 0;
}

bool Certificate::is_self_issued() const {
  return X509_NAME_cmp(X509_get_subject_name(handle()), X509_get_issuer_name(handle())) == 0;
}

KeyId Certificate::key_id() const {
  KeyId id{};
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(handle()), &encoded);
  if (size > 0) {
    EVP_Digest(encoded, static_cast<std::size_t>(size), id.data(), nullptr, EVP_sha256(), nullptr);
  }
  OPENSSL_free(encoded);
  return id;
}

std::string Certificate::serial() const {
  const Owned<BIGNUM, BN_free> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle()), nullptr));
  char* const text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string serial = text != nullptr ? text : "";
  OPENSSL_free(text);
  return serial;
}

std::string Certificate::subject() const {
  return to_text(X509_get_subject_name(handle()));
}

std::string Certificate::issuer() const {
  return to_text(X509_get_issuer_name(handle()));
}

std::string Certificate::name() const {
  auto names = entries_of(X509_get_subject_name(handle()), NID_commonName);
  return names.empty() ? subject() : std::move(names.back());
}

std::vector<std::string> Certificate::groups() const {
  return entries_of(X509_get_subject_name(handle()), NID_organizationalUnitName);
}

std::vector<IpAddress> Certificate::addresses() const {
  std::vector<IpAddress> addresses;
  std::vector<std::string> dns_names;
  read_alternative_names(alternative_names(handle()).get(), addresses, dns_names);
  return addresses;
}

std::vector<std::string> Certificate::dns_names() const {
  std::vector<IpAddress> addresses;
  std::vector<std::string> dns_names;
  read_alternative_names(alternative_names(handle()).get(), addresses, dns_names);
  return dns_names;
}

std::string list_of(const std::vector<IpAddress>& addresses) {
  if (addresses.empty()) return "no address";
  std::string text;
  for (std::size_t i = 0; i < addresses.size() && i < kMostListed; ++i) {
    const bool last = i + 1 == addresses.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + addresses[i].to_string();
  }
  return addresses.size() > kMostListed ? text + " and more" : text;
}

}  // namespace ipop::overlay::x509
