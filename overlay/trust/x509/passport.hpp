// What a node shows to be let in: its certificate, those between it and the CA, and the binding of
// its node key. Travels inside sessions, in parts. Bytes from the wire: parse checks form and
// bounds, Authorities judges.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "overlay/trust/x509/certificate.hpp"
#include "overlay/trust/x509/key_binding.hpp"

namespace ipop::overlay::x509 {

inline constexpr std::size_t kMaxPassport = 14'000;

using PassportDigest = std::array<std::uint8_t, 32>;

struct Passport {
  std::vector<Certificate> chain;  // the host's first; at most kMaxChain, without the CA's own
  KeyBinding binding;

  // version (1) ‖ binding: not-after (8), length (2), signature ‖ certificates: count (1), each:
  // length (2), DER. One encoding per passport; fails above kMaxPassport bytes.
  [[nodiscard]] Result<std::vector<std::uint8_t>> encode() const;
  [[nodiscard]] static Result<Passport> parse(ByteView encoded);

  [[nodiscard]] static PassportDigest digest_of(ByteView encoded);  // BLAKE2b-256
};

// The passport of this node: `chain` from the certificate's file, whose key is `key`. Bound until
// the certificate expires. Fails if the key is another one.
[[nodiscard]] Result<Passport> make_passport(std::vector<Certificate> chain, const HostKey& key,
                                             const SigningPublicKey& node,
                                             const NetworkId& network);

}  // namespace ipop::overlay::x509
