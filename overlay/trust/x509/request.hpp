// A certificate signing request (PKCS#10, RFC 2986): how a host asks its CA for a certificate
// without its key leaving it. What it asks for are wishes; the CA decides. `ipop ca` alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "overlay/trust/x509/host_key.hpp"

using X509_REQ = struct X509_req_st;

namespace ipop::overlay::x509 {

// What a host's certificate says of it.
struct HostNames {
  std::string name;                    // common name, at most 64 bytes
  std::vector<std::string> groups;     // OU
  std::vector<IpAddress> addresses;    // SAN IP
  std::vector<std::string> dns_names;  // SAN DNS
};

class Request {
 public:
  [[nodiscard]] static Result<Request> make(const HostKey& key, const HostNames& names);
  // Fails also if the key in it did not sign it, or is of a kind that is not taken.
  [[nodiscard]] static Result<Request> parse_pem(std::string_view pem);

  [[nodiscard]] std::string pem() const;
  [[nodiscard]] HostNames names() const;
  [[nodiscard]] EVP_PKEY* key() const;  // valid as long as the request is

 private:
  explicit Request(std::shared_ptr<X509_REQ> request) : request_(std::move(request)) {}
  std::shared_ptr<X509_REQ> request_;
};

}  // namespace ipop::overlay::x509
