// The word of a host's key for a node's key: "this node of this network is me, until then". So any
// certificate works unchanged, and stealing it without its key gains nothing. Pure but for
// OpenSSL's random numbers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "overlay/trust/node_id.hpp"
#include "overlay/trust/x509/host_key.hpp"
#include "overlay/trust/x509/refusal.hpp"

namespace ipop::overlay::x509 {

using NetworkId = std::array<std::uint8_t, 32>;

inline constexpr std::size_t kMaxSignature = 1024;  // bytes, of RSA with 8192 bits

// The signature is over "ipop key binding v1" ‖ node public key (32) ‖ network id (32) ‖ not-after
// (8, seconds since 1970, little endian).
struct KeyBinding {
  std::chrono::sys_seconds not_after{};
  std::vector<std::uint8_t> signature;

  [[nodiscard]] static Result<KeyBinding> make(const HostKey& key, const SigningPublicKey& node,
                                               const NetworkId& network,
                                               std::chrono::sys_seconds not_after);
  // Whether the certificate's key signed it for that node and network, and it still counts at
  // `now`.
  [[nodiscard]] Judged<void> judge(const Certificate& certificate, const SigningPublicKey& node,
                                   const NetworkId& network, WallTime now) const;
};

}  // namespace ipop::overlay::x509
