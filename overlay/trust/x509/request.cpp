#include "overlay/trust/x509/request.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "overlay/trust/x509/alternative_names.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

constexpr std::size_t kMaxRequest = 64 * 1024;

void free_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using Extensions = Owned<STACK_OF(X509_EXTENSION), free_extensions>;

bool add_alternative_names(X509_REQ* request, const HostNames& names) {
  const std::string text = alternative_names_text(names);
  if (text.empty()) return true;
  X509V3_CTX context;
  X509V3_set_ctx(&context, nullptr, nullptr, request, nullptr, 0);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, text.c_str());
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  if (extension == nullptr || !extensions ||
      sk_X509_EXTENSION_push(extensions.get(), extension) == 0) {
    X509_EXTENSION_free(extension);
    return false;
  }
  return X509_REQ_add_extensions(request, extensions.get()) == 1;
}

}  // namespace

Result<Request> Request::make(const HostKey& key, const HostNames& names) {
  ERR_clear_error();
  if (auto checked = check(names); !checked) return std::unexpected(checked.error());
  auto subject = subject_of(names.name, names.groups);
  if (!subject) return std::unexpected(subject.error());
  std::shared_ptr<X509_REQ> request(X509_REQ_new(),
                                    [](X509_REQ* object) { X509_REQ_free(object); });
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_subject_name(request.get(), subject->get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.handle()) != 1 ||
      !add_alternative_names(request.get(), names) ||
      X509_REQ_sign(request.get(), key.handle(), digest_for(key.handle())) <= 0) {
    return fail("cannot make the request: " + take_openssl_error());
  }
  return Request(std::move(request));
}

Result<Request> Request::parse_pem(std::string_view pem) {
  if (pem.size() > kMaxRequest) return fail("longer than a signing request may be");
  ERR_clear_error();
  const OwnedBio bio = memory_bio({reinterpret_cast<const std::uint8_t*>(pem.data()), pem.size()});
  std::shared_ptr<X509_REQ> request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr),
                                    [](X509_REQ* object) { X509_REQ_free(object); });
  if (!request) {
    ERR_clear_error();
    return fail("not a signing request in PEM (-----BEGIN CERTIFICATE REQUEST-----)");
  }
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || !is_taken(key)) {
    ERR_clear_error();
    return fail(
        "the request's key is of a kind that is not taken: RSA of 2048 to 8192 bits, "
        "ECDSA P-256 or P-384, or Ed25519");
  }
  const bool good = X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!good) return fail("the request is damaged: its key did not sign it");
  return Request(std::move(request));
}

std::string Request::pem() const {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), request_.get()) != 1) return {};
  return content_of(bio.get());
}

HostNames Request::names() const {
  const X509_NAME* const subject = X509_REQ_get_subject_name(request_.get());
  HostNames names;
  auto common = entries_of(subject, NID_commonName);
  if (!common.empty()) names.name = std::move(common.back());
  names.groups = entries_of(subject, NID_organizationalUnitName);
  const Extensions extensions(X509_REQ_get_extensions(request_.get()));
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> alternatives(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  read_alternative_names(alternatives.get(), names.addresses, names.dns_names);
  return names;
}

EVP_PKEY* Request::key() const {
  return X509_REQ_get0_pubkey(request_.get());
}

}  // namespace ipop::overlay::x509
