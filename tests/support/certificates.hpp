// Certificates for tests: a CA and hosts that it vouches for, made with the product's own signing
// side, at a time that the test chooses. What openssl makes, tests of x509/ make by its command.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "overlay/trust/identity.hpp"
#include "overlay/trust/x509/authorities.hpp"
#include "overlay/trust/x509/issuer.hpp"

namespace ipop::overlay::x509 {

// 2027-01-15; certificates of tests are valid for a year around it unless they say otherwise.
inline const WallTime kTestTime = WallTime(std::chrono::seconds(1'800'000'000));
inline const Validity kTestValidity{kTestTime - std::chrono::hours(24 * 180),
                                    kTestTime + std::chrono::hours(24 * 180)};
inline const NetworkId kTestNetwork{1, 2, 3};

inline Issuer make_test_ca(const std::string& name = "test CA", KeyKind kind = KeyKind::kEcdsaP256,
                           const Validity& validity = kTestValidity) {
  return Issuer::make(*HostKey::generate(kind),
                      {.name = name, .validity = validity, .permitted = {}, .depth = 1})
      .value();
}

// A host with all that it needs to be let in.
struct TestHost {
  TestHost(const Issuer& issuer, HostNames names, KeyKind kind = KeyKind::kEcdsaP256,
           const Validity& validity = kTestValidity)
      : key(HostKey::generate(kind).value()),
        certificate(issuer.sign(key.handle(), names, validity).value()) {}

  // `behind`: the certificates between this one and the CA.
  [[nodiscard]] Passport passport(const Identity& node, const NetworkId& network = kTestNetwork,
                                  const std::vector<Certificate>& behind = {}) const {
    std::vector<Certificate> chain{certificate};
    chain.insert(chain.end(), behind.begin(), behind.end());
    return make_passport(std::move(chain), key, node.signing_key(), network).value();
  }

  HostKey key;
  Certificate certificate;
};

inline std::vector<Prefix> hosts(std::initializer_list<const char*> addresses) {
  std::vector<Prefix> list;
  for (const char* address : addresses)
    list.push_back(Prefix::host(*IpAddress::parse(address)));
  return list;
}

inline HostNames names_of(const std::string& name, std::initializer_list<const char*> addresses,
                          std::vector<std::string> groups = {}) {
  HostNames names{.name = name, .groups = std::move(groups), .addresses = {}, .dns_names = {name}};
  for (const char* address : addresses)
    names.addresses.push_back(*IpAddress::parse(address));
  return names;
}

}  // namespace ipop::overlay::x509
