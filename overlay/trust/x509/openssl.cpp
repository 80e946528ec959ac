#include "overlay/trust/x509/openssl.hpp"

#include <openssl/err.h>

#include <array>
#include <climits>
#include <ctime>

namespace ipop::overlay::x509 {

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

OwnedBio memory_bio(ByteView bytes) {
  if (bytes.size() > INT_MAX) bytes = bytes.first(INT_MAX);
  return OwnedBio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return nullptr;
  return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

WallTime to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const std::chrono::seconds seconds(::timegm(&parts));
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max());
  if (std::chrono::sys_seconds(seconds) > kLast) return kLast;
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(WallTime::min());
  if (std::chrono::sys_seconds(seconds) < kFirst) return kFirst;
  return WallTime(seconds);
}

std::string to_text(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

std::vector<std::string> entries_of(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
    const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, value);
    if (size < 0) continue;
    values.emplace_back(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  ERR_clear_error();
  return values;
}

std::string to_text(const X509_NAME* name) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "?";
  return content_of(bio.get());
}

void read_alternative_names(const GENERAL_NAMES* names, std::vector<IpAddress>& addresses,
                            std::vector<std::string>& dns_names) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_IPADD) {
      const ASN1_OCTET_STRING* const bytes = name->d.iPAddress;
      if (bytes->length == 4) addresses.push_back(IpAddress::v4_at(bytes->data));
      if (bytes->length == 16) addresses.push_back(IpAddress::v6_at(bytes->data));
    } else if (name->type == GEN_DNS) {
      const ASN1_IA5STRING* const text = name->d.dNSName;
      dns_names.emplace_back(reinterpret_cast<const char*>(text->data),
                             static_cast<std::size_t>(text->length));
    }
  }
}

}  // namespace ipop::overlay::x509
