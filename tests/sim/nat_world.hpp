// The kinds of NAT that stories are about, and a world with two nodes on the open internet, whom
// all ask how they look, and who relay.
#pragma once

#include <gtest/gtest.h>

#include "tests/sim/two_nodes.hpp"

namespace ipop::sim {

struct NatKind {
  const char* name;
  bool is_nat = true;
  By mapping = By::kNothing;
  By filtering = By::kNothing;
  Ports ports{};

  friend void PrintTo(const NatKind& kind, std::ostream* out) { *out << kind.name; }
};

inline constexpr NatKind kNone{"none", false};
inline constexpr NatKind kFullCone{"full_cone"};
inline constexpr NatKind kAddressRestricted{"address_restricted", true, By::kNothing, By::kAddress};
inline constexpr NatKind kPortRestricted{"port_restricted", true, By::kNothing, By::kEndpoint};
inline constexpr NatKind kSymmetric{"symmetric", true, By::kEndpoint, By::kEndpoint};
inline constexpr NatKind kKinds[] = {kNone, kFullCone, kAddressRestricted, kPortRestricted,
                                     kSymmetric};

class NatWorld {
 public:
  World world;
  Node& first = add_public("first", "192.168.10.101/24", "198.51.100.1/24");
  Node& second = add_public("second", "192.168.10.102/24", "198.51.101.1/24");

  Node& add(NodeOptions options, const NatKind& kind, const std::string& external) {
    options.stun = {first.endpoint(), second.endpoint()};
    if (kind.is_nat) {
      options.nat = &world.add_nat(external, kind.mapping, kind.filtering, kind.ports);
    } else {
      options.underlay = {external + "/24"};
    }
    return world.add(options);
  }
  // Alice and Bob behind these, after alice's first packet.
  std::pair<Node&, Node&> meet(const NatKind& left, const NatKind& right) {
    Node& a = add(alice(), left, "203.0.113.1");
    Node& b = add(bob(), right, "203.0.114.1");
    world.run_for(std::chrono::seconds(1));
    const std::uint32_t packet = a.send(kBob);
    EXPECT_TRUE(world.run_until([&] { return b.received(packet); }, std::chrono::seconds(2)));
    return {a, b};
  }

 private:
  Node& add_public(const char* name, const char* address, const char* underlay) {
    return world.add({.name = name, .address = address, .underlay = {underlay}});
  }
};

inline overlay::PathKind path(const Node& at, const char* of) {
  return at.peer(of)->path;
}

// Alice and Bob.
inline bool both_direct(const Node& a, const Node& b) {
  return path(a, kBob) == overlay::PathKind::kDirect &&
         path(b, kAlice) == overlay::PathKind::kDirect;
}

}  // namespace ipop::sim
