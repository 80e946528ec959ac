// OpenSSL's objects under owners, and what its error queue says. For the files of this folder and
// for the small CA; no other header names an OpenSSL type. Any thread, an object on one at a time.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"
#include "overlay/trust/x509/certificate.hpp"

namespace ipop::overlay::x509 {

template <auto Free>
struct Releaser {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Releaser<Free>>;

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedDigest = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedCertificate = Owned<::X509, X509_free>;
using OwnedList = Owned<X509_CRL, X509_CRL_free>;
using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;

// Its oldest error as a sentence's end, and an empty queue.
[[nodiscard]] std::string take_openssl_error();

[[nodiscard]] OwnedBio memory_bio(ByteView bytes);
[[nodiscard]] std::string content_of(BIO* bio);

// What a certificate, a list or a request is hashed with that this key signs. Nothing for Ed25519,
// which hashes by itself.
[[nodiscard]] const EVP_MD* digest_for(const EVP_PKEY* key);

// Clamped to what WallTime holds (the year 9999 means "never"); the epoch if it is malformed.
[[nodiscard]] WallTime to_wall_time(const ASN1_TIME* time);
// The values of all entries of one kind in a name, as UTF-8.
[[nodiscard]] std::vector<std::string> entries_of(const X509_NAME* name, int nid);
// RFC 2253, as "CN=alice,OU=web".
[[nodiscard]] std::string to_text(const X509_NAME* name);

// Addresses and DNS names of a subject alternative name; `names` may be null.
void read_alternative_names(const GENERAL_NAMES* names, std::vector<IpAddress>& addresses,
                            std::vector<std::string>& dns_names);

}  // namespace ipop::overlay::x509
