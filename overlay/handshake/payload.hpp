// The encrypted payload of an IPOP initiation or response: whose credential, which AEAD suites,
// what it can do. Later versions append fields; an older reader ignores what it does not know.
#pragma once

#include "engine/api/types.hpp"
#include "overlay/handshake/noise.hpp"
#include "overlay/trust/credential.hpp"

namespace ipop::overlay::handshake {

// Bits of `capabilities`. Unknown bits are ignored.
enum Capability : std::uint32_t {
  kCapabilityNone = 0,
  // The sender has verified the receiver's credential: the receiver's host packets may pass.
  kAdmitsReceiver = 1,
  // The sender takes packets with partial checksums (docs/protocol.md).
  kTakesPartialChecksums = 2,
  // The sender relays for members of the network.
  kRelays = 4,
};

struct Payload {
  CredentialDigest credential{};
  // Initiation: a bit per AeadSuite offered, at least one. Response: exactly the bit of the chosen
  // one.
  std::uint8_t suites = 0;
  std::uint32_t capabilities = kCapabilityNone;
  // By how many lanes the sender would send, and how many it opens for; 1 at least, which is also
  // what those say who know nothing of lanes.
  std::uint8_t lanes_sent = 1;
  std::uint8_t lanes_taken = 1;

  [[nodiscard]] std::vector<std::uint8_t> encode() const;
  [[nodiscard]] static Result<Payload> parse(ByteView bytes);
};

[[nodiscard]] constexpr std::uint8_t suite_bit(engine::AeadSuite suite) noexcept {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(suite));
}
// AES-256-GCM if both have it, else ChaCha20-Poly1305.
[[nodiscard]] engine::AeadSuite choose_suite(std::uint8_t offered, std::uint8_t own) noexcept;
// The initiator's reading of a response's `suites`: nothing unless it is one suite, and offered.
[[nodiscard]] std::optional<engine::AeadSuite> chosen_suite(std::uint8_t answered,
                                                            std::uint8_t offered) noexcept;

}  // namespace ipop::overlay::handshake
