// Nodes that trust CAs, with the certificates that they show, and lists that revoke them.
#pragma once

#include "tests/sim/two_nodes.hpp"
#include "tests/support/certificates.hpp"

namespace ipop::sim {

using namespace overlay;
using namespace overlay::x509;

// The world's clock at its start; certificates are made around it.
inline const WallTime kStart = World().clock().wall;
inline const Validity kUsual{kStart - std::chrono::hours(24),
                             kStart + std::chrono::hours(24 * 365)};

inline Issuer ca_named(const std::string& name) {
  return make_test_ca(name, KeyKind::kEcdsaP256,
                      {kStart - std::chrono::hours(48), kStart + std::chrono::hours(24 * 3650)});
}

struct Options {
  std::vector<const Issuer*> trusts;
  const Issuer* signed_by = nullptr;  // nothing = the first that it trusts
  const char* certified = nullptr;    // nothing = its own address
  Validity validity = kUsual;
  const Identity* bound_to = nullptr;  // nothing = itself
  bool shows = true;
  const Issuer* between = nullptr;  // whose certificate stands behind its own
  bool judges = true;               // false: it lets in everybody, and learns of no list
};

inline NodeOptions with_trust(NodeOptions node, const Options& options) {
  const std::string address = options.certified != nullptr
                                  ? options.certified
                                  : Prefix::parse(node.address)->address.to_string();
  node.trust = [options, address, name = node.name](const Identity& identity,
                                                    const NetworkKey& network) {
    std::vector<Certificate> cas;
    for (const Issuer* ca : options.trusts)
      cas.push_back(ca->certificate());
    TrustSettings trust{.authorities = Authorities::make(std::move(cas), {}).value(),
                        .passport = {}};
    if (!options.judges) trust.authorities.reset();
    if (!options.shows) return trust;
    const Issuer& issuer = options.signed_by != nullptr ? *options.signed_by : *options.trusts[0];
    const TestHost host(issuer, names_of(name, {address.c_str()}), KeyKind::kEcdsaP256,
                        options.validity);
    std::vector<Certificate> behind;
    if (options.between != nullptr) behind.push_back(options.between->certificate());
    trust.passport = *host.passport(options.bound_to != nullptr ? *options.bound_to : identity,
                                    network.network_id(), behind)
                          .encode();
    return trust;
  };
  return node;
}

inline RevocationList list_of(const Issuer& ca, std::uint64_t number,
                              const std::vector<std::uint8_t>& passport) {
  return ca
      .sign_list({{Passport::parse(passport)->chain.front().serial(), kStart}}, number,
                 {kStart, kStart + std::chrono::hours(24)})
      .value();
}

// The passport that a node would show; its certificate is the only thing random in it that counts.
struct Known {
  std::vector<std::uint8_t> passport;
  // As `node`, whose certificate the test can get at.
  NodeOptions keep(NodeOptions node) {
    node.trust = [this, made = node.trust](const Identity& identity, const NetworkKey& network) {
      TrustSettings trust = made(identity, network);
      passport = trust.passport;
      return trust;
    };
    return node;
  }
};

inline bool connects(World& world, Node& a, Node& b, Duration limit = std::chrono::seconds(1)) {
  const std::uint32_t there = a.send(Prefix::parse(b.options.address)->address.to_string());
  const std::uint32_t back = b.send(Prefix::parse(a.options.address)->address.to_string());
  return world.run_until([&] { return b.received(there) && a.received(back); }, limit);
}

}  // namespace ipop::sim
