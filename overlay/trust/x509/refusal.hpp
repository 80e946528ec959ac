// Why a node's certificate does not let it in. The reason travels to that node, so that both sides
// can name it; the detail is for the side that judged. Any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace ipop::overlay::x509 {

// The numbers are part of the protocol.
enum class Reason : std::uint8_t {
  kNoCertificate = 1,      // it has shown none
  kMalformed = 2,          // what it has shown does not parse, or is too large
  kOtherCa = 3,            // no CA that is trusted here vouches for it
  kExpired = 4,            // or one of the chain's
  kNotYetValid = 5,        // by our clock
  kRevoked = 6,            // or one of the chain's
  kWrongUse = 7,           // a CA's certificate for a host, a host's for a CA, key usage
  kNotPermitted = 8,       // the CA's name constraints do not allow its names
  kWeak = 9,               // keys or signatures below 112 bits, or of a kind not taken here
  kAddressNotNamed = 10,   // it claims an address that the certificate does not name
  kBindingOfAnother = 11,  // the host key did not sign for this node and network
  kBindingExpired = 12,
};
inline constexpr std::uint8_t kLastReason = static_cast<std::uint8_t>(Reason::kBindingExpired);

// "has expired": what follows "its certificate" in a sentence to a user of the side that judged.
[[nodiscard]] const char* name(Reason reason) noexcept;
// What the user of the refused node should do.
[[nodiscard]] const char* advice(Reason reason) noexcept;

struct Refusal {
  Reason reason = Reason::kMalformed;
  std::string detail;  // "its certificate (alice) has expired on 2026-11-23 19:27 UTC"
};

template <typename T>
using Judged = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(Reason reason, std::string detail) {
  return std::unexpected<Refusal>(Refusal{reason, std::move(detail)});
}

}  // namespace ipop::overlay::x509
