#include "overlay/trust/x509/issuer.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "overlay/trust/x509/alternative_names.hpp"

namespace ipop::overlay::x509 {
namespace {

constexpr int kSerialBits = 127;  // positive, and at most 16 bytes

using OwnedTime = Owned<ASN1_TIME, ASN1_TIME_free>;
using Extensions = std::vector<std::pair<int, std::string>>;

// RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from then on.
OwnedTime to_asn1(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return OwnedTime(ASN1_TIME_set(nullptr, seconds.time_since_epoch().count()));
}

bool set_random_serial(::X509* certificate) {
  const Owned<BIGNUM, BN_free> number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(::X509* certificate, const Validity& validity) {
  const OwnedTime from = to_asn1(validity.from);
  const OwnedTime until = to_asn1(validity.until);
  return from && until && X509_set1_notBefore(certificate, from.get()) == 1 &&
         X509_set1_notAfter(certificate, until.get()) == 1;
}

bool add_extensions(::X509* certificate, ::X509* issuer, const Extensions& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [nid, value] : extensions) {
    const Owned<X509_EXTENSION, X509_EXTENSION_free> one(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    if (!one || X509_add_ext(certificate, one.get(), -1) != 1) return false;
  }
  return true;
}

std::string mask_text(const Prefix& prefix) {
  IpAddress::Bytes bytes{};
  const std::size_t first = prefix.address.is_v4() ? 12 : 0;
  if (first == 12) bytes[10] = bytes[11] = 0xff;
  for (unsigned bit = 0; bit < prefix.length; ++bit)
    bytes[first + bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return IpAddress(bytes).to_string();
}

Extensions extensions_of(const CaTerms& terms) {
  Extensions extensions{
      {NID_basic_constraints,
       "critical,CA:TRUE" +
           (terms.depth ? ",pathlen:" + std::to_string(*terms.depth) : std::string())},
      {NID_key_usage, "critical,keyCertSign,cRLSign"},
      {NID_subject_key_identifier, "hash"}};
  std::string permitted;
  for (const Prefix& prefix : terms.permitted) {
    permitted += ",permitted;IP:" + prefix.masked().address.to_string() + "/" + mask_text(prefix);
  }
  if (!permitted.empty()) extensions.emplace_back(NID_name_constraints, "critical" + permitted);
  return extensions;
}

// `issuer`: nothing for one that vouches for itself.
Result<Certificate> make_certificate(EVP_PKEY* key, const X509_NAME* subject,
                                     const Validity& validity, Extensions extensions,
                                     const Certificate* issuer, EVP_PKEY* signing_key) {
  ERR_clear_error();
  if (validity.until <= validity.from) return fail("a certificate that ends before it begins");
  const OwnedCertificate made(X509_new());
  ::X509* const signer = issuer != nullptr ? issuer->handle() : made.get();
  if (issuer != nullptr) extensions.emplace_back(NID_authority_key_identifier, "keyid:always");
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 ||
      !set_random_serial(made.get()) || !set_validity(made.get(), validity) ||
      X509_set_subject_name(made.get(), subject) != 1 ||
      X509_set_issuer_name(made.get(),
                           issuer != nullptr ? X509_get_subject_name(signer) : subject) != 1 ||
      X509_set_pubkey(made.get(), key) != 1 || !add_extensions(made.get(), signer, extensions) ||
      X509_sign(made.get(), signing_key, digest_for(signing_key)) <= 0) {
    return fail("cannot make the certificate: " + take_openssl_error());
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(made.get(), &encoded);
  const std::vector<std::uint8_t> der(encoded, encoded + std::max(size, 0));
  OPENSSL_free(encoded);
  return Certificate::parse_der(der);
}

}  // namespace

Result<Issuer> Issuer::make(HostKey key, const CaTerms& terms) {
  auto subject = subject_of(terms.name, {});
  if (!subject) return std::unexpected(subject.error());
  auto made = make_certificate(key.handle(), subject->get(), terms.validity, extensions_of(terms),
                               nullptr, key.handle());
  if (!made) return std::unexpected(made.error());
  return Issuer(std::move(key), std::move(*made));
}

Result<Issuer> Issuer::take(HostKey key, Certificate certificate) {
  if (!certificate.is_ca()) return fail(certificate.name() + " is not the certificate of a CA");
  if (!key.is_of(certificate)) return fail("the key is not that of the CA's certificate");
  return Issuer(std::move(key), std::move(certificate));
}

Result<Issuer> Issuer::make_ca(HostKey key, const CaTerms& terms) const {
  auto subject = subject_of(terms.name, {});
  if (!subject) return std::unexpected(subject.error());
  auto made = make_certificate(key.handle(), subject->get(), terms.validity, extensions_of(terms),
                               &certificate_, key_.handle());
  if (!made) return std::unexpected(made.error());
  return Issuer(std::move(key), std::move(*made));
}

Result<Certificate> Issuer::sign(EVP_PKEY* key, const HostNames& names,
                                 const Validity& validity) const {
  if (auto checked = check(names); !checked) return std::unexpected(checked.error());
  auto subject = subject_of(names.name, names.groups);
  if (!subject) return std::unexpected(subject.error());
  Extensions extensions{{NID_basic_constraints, "critical,CA:FALSE"},
                        {NID_key_usage, "critical,digitalSignature"},
                        {NID_ext_key_usage, "serverAuth,clientAuth"},
                        {NID_subject_key_identifier, "hash"}};
  if (std::string text = alternative_names_text(names); !text.empty())
    extensions.emplace_back(NID_subject_alt_name, std::move(text));
  return make_certificate(key, subject->get(), validity, std::move(extensions), &certificate_,
                          key_.handle());
}

Result<RevocationList> Issuer::sign_list(const std::vector<Revoked>& revoked, std::uint64_t number,
                                         const Validity& validity) const {
  ERR_clear_error();
  const OwnedList list(X509_CRL_new());
  const OwnedTime from = to_asn1(validity.from);
  const OwnedTime until = to_asn1(validity.until);
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> counted(ASN1_INTEGER_new());
  bool good =
      list && from && until && counted &&
      X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.handle())) == 1 &&
      X509_CRL_set1_lastUpdate(list.get(), from.get()) == 1 &&
      X509_CRL_set1_nextUpdate(list.get(), until.get()) == 1 &&
      ASN1_INTEGER_set_uint64(counted.get(), number) == 1 &&
      X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, counted.get(), 0, 0) == 1;
  for (const Revoked& one : revoked) {
    BIGNUM* raw = nullptr;
    good = good && BN_hex2bn(&raw, one.serial.c_str()) == static_cast<int>(one.serial.size());
    const Owned<BIGNUM, BN_free> value(raw);
    const OwnedTime at = to_asn1(one.at);
    X509_REVOKED* const entry = X509_REVOKED_new();
    const Owned<ASN1_INTEGER, ASN1_INTEGER_free> serial(
        good ? BN_to_ASN1_INTEGER(value.get(), nullptr) : nullptr);
    good = good && at && entry != nullptr && serial &&
           X509_REVOKED_set_serialNumber(entry, serial.get()) == 1 &&
           X509_REVOKED_set_revocationDate(entry, at.get()) == 1 &&
           X509_CRL_add0_revoked(list.get(), entry) == 1;
    if (!good) X509_REVOKED_free(entry);
    if (!good) break;
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate_.handle(), nullptr, nullptr, list.get(), 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> authority(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  good = good && authority && X509_CRL_add_ext(list.get(), authority.get(), -1) == 1 &&
         X509_CRL_sort(list.get()) == 1 &&
         X509_CRL_sign(list.get(), key_.handle(), digest_for(key_.handle())) > 0;
  if (!good) return fail("cannot make the revocation list: " + take_openssl_error());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(list.get(), &encoded);
  const std::vector<std::uint8_t> der(encoded, encoded + std::max(size, 0));
  OPENSSL_free(encoded);
  return RevocationList::parse_der(der);
}

}  // namespace ipop::overlay::x509
