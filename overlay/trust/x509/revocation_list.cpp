#include "overlay/trust/x509/revocation_list.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <optional>

#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

// Nothing if it has a number that is none (RFC 5280 §5.2.3: at most 20 bytes, not negative).
std::optional<RevocationList::Age> age_of(const X509_CRL* list) {
  RevocationList::Age age;
  age.this_update =
      std::chrono::floor<std::chrono::seconds>(to_wall_time(X509_CRL_get0_lastUpdate(list)))
          .time_since_epoch()
          .count();
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  ERR_clear_error();
  if (!number) return age;
  const Owned<BIGNUM, BN_free> value(ASN1_INTEGER_to_BN(number.get(), nullptr));
  if (!value || BN_is_negative(value.get()) ||
      BN_bn2binpad(value.get(), age.number.data(), static_cast<int>(age.number.size())) < 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  return age;
}

// RFC 5280 §5.2: who does not understand a critical extension must not use the list. Those that
// narrow what a list speaks of are all critical.
bool is_whole(const X509_CRL* list) {
  for (int i = 0; i < X509_CRL_get_ext_count(list); ++i) {
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(list, i)) != 0) return false;
  }
  return X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0 &&
         X509_CRL_get_ext_by_NID(list, NID_issuing_distribution_point, -1) < 0;
}

}  // namespace

Result<RevocationList> RevocationList::take(X509_CRL* raw) {
  std::shared_ptr<X509_CRL> list(raw, [](X509_CRL* object) { X509_CRL_free(object); });
  if (!list) return fail("not a revocation list: " + take_openssl_error());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(list.get(), &encoded);
  if (size <= 0) return fail("not a revocation list: " + take_openssl_error());
  std::vector<std::uint8_t> der(encoded, encoded + size);
  OPENSSL_free(encoded);
  if (der.size() > kMaxList) {
    return fail("a revocation list of " + std::to_string(der.size()) + " bytes; at most " +
                std::to_string(kMaxList) + " are taken");
  }
  if (!is_whole(list.get())) {
    return fail("a revocation list that is not whole (delta, indirect or partial)");
  }
  const auto age = age_of(list.get());
  if (!age) return fail("a revocation list with a number that is none");
  return RevocationList(std::move(list), std::move(der), *age);
}

Result<RevocationList> RevocationList::parse_der(ByteView der) {
  if (der.empty()) return fail("not a revocation list: nothing is there");
  if (der.size() > kMaxList) return fail("not a revocation list: it is too long");
  ERR_clear_error();
  const unsigned char* at = der.data();
  auto list = take(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (list && !std::ranges::equal(list->der_, der)) {
    return fail("not a revocation list: it is not in DER, or something stands behind it");
  }
  return list;
}

Result<std::vector<RevocationList>> RevocationList::parse_pem(std::string_view pem,
                                                              std::size_t most) {
  if (pem.size() > kMaxPem) return fail("longer than 1 MiB, the most that is read");
  const OwnedBio bio = memory_bio({reinterpret_cast<const std::uint8_t*>(pem.data()), pem.size()});
  std::vector<RevocationList> lists;
  ERR_clear_error();
  while (X509_CRL* const next = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    auto list = take(next);
    if (!list) return std::unexpected(list.error());
    if (lists.size() == most) return fail("more than " + std::to_string(most) + " lists");
    lists.push_back(std::move(*list));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return fail("a damaged revocation list: " + take_openssl_error());
  ERR_clear_error();
  if (lists.empty()) return fail("no revocation list in PEM (-----BEGIN X509 CRL-----)");
  return lists;
}

std::string RevocationList::pem() const {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_CRL(bio.get(), list_.get()) != 1) return {};
  return content_of(bio.get());
}

std::string RevocationList::issuer() const {
  return to_text(X509_CRL_get_issuer(list_.get()));
}

std::size_t RevocationList::size() const {
  const int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list_.get()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool RevocationList::is_signed_by(const Certificate& ca) const {
  if (X509_NAME_cmp(X509_CRL_get_issuer(list_.get()), X509_get_subject_name(ca.handle())) != 0) {
    return false;
  }
  if ((X509_get_key_usage(ca.handle()) & KU_CRL_SIGN) == 0) return false;
  EVP_PKEY* const key = X509_get0_pubkey(ca.handle());
  const bool good = key != nullptr && X509_CRL_verify(list_.get(), key) == 1;
  ERR_clear_error();
  return good;
}

bool RevocationList::revokes(const Certificate& certificate) const {
  X509_REVOKED* entry = nullptr;
  // 2 stands for "removed from the list" (RFC 5280 §5.3.1), which only deltas say.
  return X509_CRL_get0_by_serial(list_.get(), &entry,
                                 X509_get0_serialNumber(certificate.handle())) == 1;
}

}  // namespace ipop::overlay::x509
