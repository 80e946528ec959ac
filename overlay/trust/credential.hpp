// What a node says of itself and signs: its key, the addresses it uses, its name. It changes
// rarely, so a handshake carries only its digest. Bytes from the wire: parse checks form and
// signature.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "overlay/trust/identity.hpp"
#include "overlay/trust/network_key.hpp"
#include "overlay/trust/node_id.hpp"

namespace ipop::overlay {

using CredentialDigest = std::array<std::uint8_t, 32>;

struct Credential {
  SigningPublicKey signing_key{};
  std::vector<Prefix>
      addresses;               // 1 to 8: own virtual addresses, each as a whole address (/32, /128)
  std::vector<Prefix> routes;  // at most 16: subnets reached through the node
  std::string hostname;        // at most 63 bytes of [A-Za-z0-9-_.]
  WallTime claimed_at{};       // when it first used its addresses: of two claims the earlier wins
  std::vector<std::uint8_t> encoded;  // as signed and sent, signature included; at most 600 bytes

  // The fields above, signed: fills signing_key and encoded.
  [[nodiscard]] static Credential make(const Identity& identity, std::vector<Prefix> addresses,
                                       std::vector<Prefix> routes, std::string hostname,
                                       WallTime claimed_at);
  // From bytes of a peer or of the directory: form, limits and signature are checked.
  [[nodiscard]] static Result<Credential> parse(ByteView encoded);

  [[nodiscard]] NodeId node_id() const noexcept { return NodeId::of(signing_key); }
  [[nodiscard]] CredentialDigest digest() const noexcept;  // BLAKE2b-256 of `encoded`
};

}  // namespace ipop::overlay
