#include "overlay/trust/x509/authorities.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

// Keys and digests of 112 bits and more (SP 800-57): RSA from 2048 bits, no SHA-1.
constexpr int kSecurityLevel = 2;

using OwnedStore = Owned<X509_STORE, X509_STORE_free>;
using OwnedVerification = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

void free_stack(STACK_OF(X509) * stack) {
  sk_X509_free(stack);  // the certificates are not its own
}
using Stack = Owned<STACK_OF(X509), free_stack>;

Reason reason_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Reason::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Reason::kNotYetValid;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return Reason::kWrongUse;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
      return Reason::kNotPermitted;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return Reason::kWeak;
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return Reason::kMalformed;
    default:
      return Reason::kOtherCa;
  }
}

std::string detail_of(Reason reason, int error, const Certificate& at, bool is_host) {
  const std::string which =
      (is_host ? "its certificate (" : "the certificate of its CA (") + at.name() + ")";
  switch (reason) {
    case Reason::kExpired:
      return which + " has expired on " + to_text(at.not_after());
    case Reason::kNotYetValid:
      return which + " is valid only from " + to_text(at.not_before()) + " on";
    case Reason::kOtherCa:
      return "its certificate is not signed by a CA that we trust, but by " + at.issuer();
    default:
      return which + " is refused: " + X509_verify_cert_error_string(error);
  }
}

// The host's own certificate, as far as no CA says it.
Judged<void> check_host(const Certificate& host) {
  if (host.is_ca()) {
    return refuse(Reason::kWrongUse,
                  "its certificate (" + host.name() + ") is a CA's, not a host's");
  }
  // All bits are set where the extension is absent.
  if ((X509_get_key_usage(host.handle()) & KU_DIGITAL_SIGNATURE) == 0) {
    return refuse(Reason::kWrongUse, "the key usage of its certificate (" + host.name() +
                                         ") does not allow signatures");
  }
  return {};
}

Judged<void> check_addresses(const Certificate& host, std::span<const Prefix> claimed) {
  const std::vector<IpAddress> named = host.addresses();
  for (const Prefix& address : claimed) {
    if (address.is_host() && std::ranges::find(named, address.address) != named.end()) continue;
    return refuse(Reason::kAddressNotNamed, "it claims " + address.address.to_string() +
                                                ", and its certificate (" + host.name() +
                                                ") names " + x509::list_of(named));
  }
  return {};
}

}  // namespace

Authorities::Authorities(std::vector<Certificate> cas, std::vector<Certificate> between)
    : cas_(std::move(cas)), between_(std::move(between)) {}

Result<Authorities> Authorities::make(std::vector<Certificate> authorities,
                                      std::vector<Certificate> between) {
  if (authorities.empty()) return fail("no CA");
  if (authorities.size() > kMaxAuthorities) return fail("more than two CAs");
  for (const Certificate& ca : authorities) {
    if (X509_check_ca(ca.handle()) == 0) return fail(ca.name() + " is not the certificate of a CA");
  }
  std::erase_if(between, [](const Certificate& one) { return !one.is_ca(); });
  if (between.size() > kMaxChain) return fail("more certificates than a chain may have");
  return Authorities(std::move(authorities), std::move(between));
}

Result<bool> Authorities::add(const RevocationList& list) {
  const Certificate* signer = nullptr;
  for (const auto* known : {&cas_, &between_}) {
    const auto found =
        std::ranges::find_if(*known, [&](const Certificate& ca) { return list.is_signed_by(ca); });
    if (signer == nullptr && found != known->end()) signer = &*found;
  }
  if (signer == nullptr) {
    return fail("the revocation list of " + list.issuer() + " is not signed by a CA of ours");
  }
  const KeyId key = signer->key_id();
  const auto found = std::ranges::find(lists_, key, &KnownList::signer);
  if (found == lists_.end()) {
    lists_.push_back({key, list});
    return true;
  }
  if (list.age() <= found->list.age()) return false;
  found->list = list;
  return true;
}

const RevocationList* Authorities::list_of(const KeyId& signer) const {
  const auto found = std::ranges::find(lists_, signer, &KnownList::signer);
  return found == lists_.end() ? nullptr : &found->list;
}

std::vector<KeyId> Authorities::signers() const {
  std::vector<KeyId> keys;
  for (const auto* known : {&cas_, &between_}) {
    for (const Certificate& ca : *known)
      keys.push_back(ca.key_id());
  }
  return keys;
}

bool Authorities::knows(const KeyId& signer) const {
  const auto is = [&](const Certificate& ca) { return ca.key_id() == signer; };
  return std::ranges::any_of(cas_, is) || std::ranges::any_of(between_, is);
}

Judged<std::vector<Certificate>> Authorities::chain_to(const Certificate& ca,
                                                       const std::vector<Certificate>& shown,
                                                       WallTime now) const {
  ERR_clear_error();
  const OwnedStore store(X509_STORE_new());
  const OwnedVerification context(X509_STORE_CTX_new());
  const Stack between(sk_X509_new_null());
  if (!store || !context || !between) return refuse(Reason::kMalformed, "out of memory");
  X509_STORE_add_cert(store.get(), ca.handle());
  for (std::size_t i = 1; i < shown.size(); ++i)
    sk_X509_push(between.get(), shown[i].handle());
  if (X509_STORE_CTX_init(context.get(), store.get(), shown.front().handle(), between.get()) != 1)
    return refuse(Reason::kMalformed, "out of memory");
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  // A CA that is itself signed by another one may be the one that is trusted.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(kMaxChain));
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(
      rules, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());

  const bool good = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  const int depth = X509_STORE_CTX_get_error_depth(context.get());
  ::X509* const culprit = X509_STORE_CTX_get_current_cert(context.get());
  const auto find = [&](::X509* which) -> const Certificate& {
    for (const Certificate& one : shown) {
      if (which != nullptr && X509_cmp(one.handle(), which) == 0) return one;
    }
    return which != nullptr && X509_cmp(ca.handle(), which) == 0 ? ca : shown.front();
  };
  ERR_clear_error();
  if (!good) {
    const Reason reason = reason_of(error);
    return refuse(reason, detail_of(reason, error, find(culprit), depth == 0));
  }
  std::vector<Certificate> chain;
  STACK_OF(X509)* const found = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(found); ++i)
    chain.push_back(find(sk_X509_value(found, i)));
  return chain;
}

Judged<std::vector<Certificate>> Authorities::chain_of(const std::vector<Certificate>& shown,
                                                       WallTime now) const {
  Judged<std::vector<Certificate>> best = refuse(Reason::kOtherCa, "no CA is trusted");
  for (const Certificate& ca : cas_) {
    auto chain = chain_to(ca, shown, now);
    if (chain) return chain;
    // What is wrong with a certificate of our own CA says more than that it is not the other's.
    if (best.error().reason == Reason::kOtherCa) best = std::move(chain);
  }
  return best;
}

Judged<void> Authorities::check_revocation(const std::vector<Certificate>& chain) const {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const RevocationList* const list = list_of(chain[i + 1].key_id());
    if (list == nullptr || !list->revokes(chain[i])) continue;
    return refuse(Reason::kRevoked, (i == 0 ? "its certificate (" : "that of its CA (") +
                                        chain[i].name() + ", serial " + chain[i].serial() +
                                        ") is revoked");
  }
  return {};
}

Judged<Standing> Authorities::judge(const Passport& passport, const SigningPublicKey& node,
                                    std::span<const Prefix> addresses, const NetworkId& network,
                                    WallTime now) const {
  if (passport.chain.empty()) return refuse(Reason::kNoCertificate, "it shows no certificate");
  const Certificate& host = passport.chain.front();
  const auto chain = chain_of(passport.chain, now);
  if (!chain) return std::unexpected(chain.error());
  if (auto checked = check_host(host); !checked) return std::unexpected(checked.error());
  if (auto checked = check_revocation(*chain); !checked) return std::unexpected(checked.error());
  if (auto checked = passport.binding.judge(host, node, network, now); !checked)
    return std::unexpected(checked.error());
  if (auto checked = check_addresses(host, addresses); !checked)
    return std::unexpected(checked.error());
  Standing standing{.valid_until = WallTime(passport.binding.not_after),
                    .name = host.name(),
                    .groups = host.groups(),
                    .dns_names = host.dns_names()};
  for (const Certificate& one : *chain)
    standing.valid_until = std::min(standing.valid_until, one.not_after());
  return standing;
}

}  // namespace ipop::overlay::x509
