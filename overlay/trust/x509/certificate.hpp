// An X.509 certificate as it came from a file or a peer, and what IPOP reads in it. Parsing checks
// form alone: whether anybody vouches for it, Authorities says. Immutable; any thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ip.hpp"

using X509 = struct x509_st;

namespace ipop::overlay::x509 {

inline constexpr std::size_t kMaxCertificate = 4096;  // bytes of DER
inline constexpr std::size_t kMaxChain = 4;           // certificates, the host's included
inline constexpr std::size_t kMaxPem = 1 << 20;       // bytes of a file

// SHA-256 of the public key with its algorithm (SubjectPublicKeyInfo).
using KeyId = std::array<std::uint8_t, 32>;

class Certificate {
 public:
  // One certificate, with nothing behind it.
  [[nodiscard]] static Result<Certificate> parse_der(ByteView der);
  // All certificates of a PEM text, in its order; at least one, at most `most`. Other blocks and
  // text between them are skipped.
  [[nodiscard]] static Result<std::vector<Certificate>> parse_pem(std::string_view pem,
                                                                  std::size_t most);

  [[nodiscard]] const std::vector<std::uint8_t>& der() const noexcept { return der_; }
  [[nodiscard]] std::string pem() const;

  [[nodiscard]] WallTime not_before() const;
  [[nodiscard]] WallTime not_after() const;
  [[nodiscard]] bool is_ca() const;  // says so in its basic constraints
  [[nodiscard]] bool is_self_issued() const;
  [[nodiscard]] KeyId key_id() const;
  [[nodiscard]] std::string serial() const;   // hexadecimal, as openssl prints it
  [[nodiscard]] std::string subject() const;  // "CN=alice,OU=web"
  [[nodiscard]] std::string issuer() const;
  // For people: the common name, or else the subject.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::vector<std::string> groups() const;  // OU of the subject

  // Of the subject alternative name. Empty if there is none, or one that is malformed.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  [[nodiscard]] std::vector<std::string> dns_names() const;

  // Valid as long as the certificate is.
  [[nodiscard]] X509* handle() const noexcept { return certificate_.get(); }

  friend bool operator==(const Certificate& a, const Certificate& b) noexcept {
    return a.der_ == b.der_;
  }

 private:
  Certificate(std::shared_ptr<X509> certificate, std::vector<std::uint8_t> der)
      : certificate_(std::move(certificate)), der_(std::move(der)) {}
  [[nodiscard]] static Result<Certificate> take(X509* certificate);

  std::shared_ptr<X509> certificate_;
  std::vector<std::uint8_t> der_;
};

// "2026-11-23 19:27 UTC".
[[nodiscard]] std::string to_text(WallTime time);

// "192.168.10.10 and fd00::10", "no address"; at most the first few.
[[nodiscard]] std::string list_of(const std::vector<IpAddress>& addresses);

}  // namespace ipop::overlay::x509
