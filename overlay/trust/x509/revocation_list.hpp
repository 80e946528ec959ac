// A certificate revocation list (RFC 5280 §5), whole ones only: no delta, no indirect and no
// partial lists. Parsing checks form; that its CA signed it, is_signed_by() says. Immutable.
#pragma once

#include <array>
#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "overlay/trust/x509/certificate.hpp"

using X509_CRL = struct X509_crl_st;

namespace ipop::overlay::x509 {

inline constexpr std::size_t kMaxList = 60'000;  // bytes of DER: some 1,600 revocations

class RevocationList {
 public:
  // Which of two lists of one CA is the newer one: by CRL number, then by thisUpdate.
  struct Age {
    std::array<std::uint8_t, 20> number{};  // big endian; zero if it has none
    std::int64_t this_update = 0;           // seconds since 1970
    friend auto operator<=>(const Age&, const Age&) noexcept = default;
  };

  [[nodiscard]] static Result<RevocationList> parse_der(ByteView der);
  // All lists of a PEM text; at least one, at most `most`.
  [[nodiscard]] static Result<std::vector<RevocationList>> parse_pem(std::string_view pem,
                                                                     std::size_t most);

  [[nodiscard]] const std::vector<std::uint8_t>& der() const noexcept { return der_; }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] const Age& age() const noexcept { return age_; }
  [[nodiscard]] std::string issuer() const;
  [[nodiscard]] std::size_t size() const;  // certificates that it revokes

  // Name, key, and that the key may sign lists.
  [[nodiscard]] bool is_signed_by(const Certificate& ca) const;
  // By serial number alone: the caller knows that this list's CA issued the certificate.
  [[nodiscard]] bool revokes(const Certificate& certificate) const;

 private:
  RevocationList(std::shared_ptr<X509_CRL> list, std::vector<std::uint8_t> der, const Age& age)
      : list_(std::move(list)), der_(std::move(der)), age_(age) {}
  [[nodiscard]] static Result<RevocationList> take(X509_CRL* list);

  std::shared_ptr<X509_CRL> list_;
  std::vector<std::uint8_t> der_;
  Age age_;
};

}  // namespace ipop::overlay::x509
