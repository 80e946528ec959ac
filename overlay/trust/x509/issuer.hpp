// The signing side: makes the certificate of a CA, those of hosts, and revocation lists. For `ipop
// ca` and for tests; the daemon never signs certificates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overlay/trust/x509/host_key.hpp"
#include "overlay/trust/x509/request.hpp"
#include "overlay/trust/x509/revocation_list.hpp"

namespace ipop::overlay::x509 {

struct Validity {
  WallTime from{};
  WallTime until{};
};

struct Revoked {
  std::string serial;  // hexadecimal
  WallTime at{};
};

// What a CA may sign; see make_ca().
struct CaTerms {
  std::string name;
  Validity validity;
  std::vector<Prefix> permitted;     // the addresses that hosts may have; empty = any (RFC 5280
                                     // §4.2.1.10)
  std::optional<unsigned> depth{0};  // CAs below it; nothing = any number
};

class Issuer {
 public:
  // A CA that nobody else vouches for.
  [[nodiscard]] static Result<Issuer> make(HostKey key, const CaTerms& terms);
  // One that is there already. Fails if the key is not the certificate's, or it is no CA's.
  [[nodiscard]] static Result<Issuer> take(HostKey key, Certificate certificate);

  [[nodiscard]] const Certificate& certificate() const noexcept { return certificate_; }
  [[nodiscard]] const HostKey& key() const noexcept { return key_; }

  // A CA below this one.
  [[nodiscard]] Result<Issuer> make_ca(HostKey key, const CaTerms& terms) const;
  // A host's certificate for the public key, with a random serial number of 127 bits.
  [[nodiscard]] Result<Certificate> sign(EVP_PKEY* key, const HostNames& names,
                                         const Validity& validity) const;
  [[nodiscard]] Result<RevocationList> sign_list(const std::vector<Revoked>& revoked,
                                                 std::uint64_t number,
                                                 const Validity& validity) const;

 private:
  Issuer(HostKey key, Certificate certificate)
      : key_(std::move(key)), certificate_(std::move(certificate)) {}

  HostKey key_;
  Certificate certificate_;
};

}  // namespace ipop::overlay::x509
