// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as WireGuard uses it (WireGuard paper §5.4), in two forms:
// WireGuard's own messages, and IPOP's, whose initiation and response carry an encrypted payload.
// Pure: bytes and keys in, bytes and keys out; no clock, no I/O, no state between calls but what
// the caller holds. mac1, mac2 and cookies are in cookie.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "overlay/trust/node_id.hpp"

namespace ipop::overlay::handshake {

// WireGuard's is constructed with its identifier "WireGuard v1 zx2c4 Jason@zx2c4.com"; IPOP's with
// one of its own, so that neither form's messages are valid in the other.
enum class Form : std::uint8_t { kWireGuard, kIpop };

enum class MessageType : std::uint8_t {
  kInitiation = 1,
  kResponse = 2,
  kCookieReply = 3,  // WireGuard
  kIpopInitiation = 0x11,
  kIpopResponse = 0x12,  // (the cookie reply is the same in both)
};

using Timestamp = std::array<std::uint8_t, 12>;  // TAI64N; compares as bytes

inline constexpr std::size_t kMaxPayload = 256;
inline constexpr std::size_t kMaxMessage = 512;

// The static keys a handshake is made with. Views: must outlive the call.
struct LocalKeys {
  std::span<const std::uint8_t, 32> secret;  // X25519
  const ExchangePublicKey& public_key;
};

// Both directions' keys of the session that a handshake ends in (paper §5.4.5).
struct TransportKeys {
  Secret<32> send;
  Secret<32> receive;
};

struct SymmetricState {  // chaining key and transcript hash
  Secret<32> chaining_key;
  std::array<std::uint8_t, 32> hash{};
};

// Held by the initiator between its two messages.
struct InitiatorState {
  Form form = Form::kIpop;
  SymmetricState symmetric;
  Secret<32> ephemeral;
  ExchangePublicKey remote{};
  std::uint32_t local_index = 0;
};

// What a responder learnt from an initiation that decrypted. Nothing is proved fresh yet: the
// caller checks `timestamp` against the greatest seen from `remote`.
struct ReceivedInitiation {
  Form form = Form::kIpop;
  ExchangePublicKey remote{};
  Timestamp timestamp{};
  std::uint32_t remote_index = 0;
  std::vector<std::uint8_t> payload;  // IPOP form only
  SymmetricState symmetric;
  std::array<std::uint8_t, 32> remote_ephemeral{};
};

// Messages come without macs: `append_macs` of cookie.hpp adds the last 32 bytes; consumers take
// the whole message and do not look at these. As in WireGuard, mac1 is all that protects the
// sender's index, so it is checked first, of responses too. A payload in WireGuard form must be
// empty.
struct Initiation {
  std::vector<std::uint8_t> message;
  InitiatorState state;
};
[[nodiscard]] Result<Initiation> create_initiation(Form form, const LocalKeys& local,
                                                   const ExchangePublicKey& remote,
                                                   std::uint32_t local_index,
                                                   const Timestamp& timestamp, ByteView payload);
[[nodiscard]] Result<ReceivedInitiation> consume_initiation(Form form, const LocalKeys& local,
                                                            ByteView message);

struct Response {
  std::vector<std::uint8_t> message;
  TransportKeys keys;
};
[[nodiscard]] Result<Response> create_response(const ReceivedInitiation& initiation,
                                               std::uint32_t local_index, const Secret<32>& psk,
                                               ByteView payload);

struct ReceivedResponse {
  std::uint32_t remote_index = 0;
  std::vector<std::uint8_t> payload;
  TransportKeys keys;
};
// `state` stays usable if this fails: a forged response must not end a handshake.
[[nodiscard]] Result<ReceivedResponse> consume_response(const InitiatorState& state,
                                                        const LocalKeys& local,
                                                        const Secret<32>& psk, ByteView message);

// The receiver index that a response or cookie reply names, if long enough: whom it is for.
[[nodiscard]] std::optional<std::uint32_t> receiver_of(ByteView message) noexcept;

[[nodiscard]] Timestamp tai64n(WallTime wall) noexcept;

}  // namespace ipop::overlay::handshake
