// The handshake straight from the formulas of the WireGuard paper (§5.4.2-§5.4.5), slow and seen
// from above: it knows both parties' secrets. All of its cryptography is libcrypto's high-level
// kind (its X25519, HKDF and AEAD; the product uses libsodium's and an HKDF of its own). Tests
// only.
#pragma once

#include "parties.hpp"

namespace ipop::overlay::handshake::testing {

struct Script {
  Form form;
  Secret<32> initiator_secret;
  Secret<32> initiator_ephemeral;
  Secret<32> responder_secret;
  Secret<32> responder_ephemeral;
  Secret<32> psk;
  Secret<32> network_mac;
  std::uint32_t initiator_index;
  std::uint32_t responder_index;
  Timestamp timestamp;
  Bytes initiation_payload;
  Bytes response_payload;
};

struct Play {
  Bytes initiation;  // complete, mac2 zero
  Bytes response;
  Bytes initiator_to_responder;  // transport keys
  Bytes responder_to_initiator;
};

[[nodiscard]] Play play(const Script& script);

// Pieces of the model that other tests need.
[[nodiscard]] Bytes model_hash(const Bytes& input);
[[nodiscard]] Bytes model_mac(const Bytes& key, const Bytes& input, std::size_t size);
[[nodiscard]] Bytes model_seal(const Bytes& key, const Bytes& nonce, const Bytes& plaintext,
                               const Bytes& additional);
[[nodiscard]] Bytes text(std::string_view characters);

}  // namespace ipop::overlay::handshake::testing
