#include <algorithm>

#include "overlay/handshake/message.hpp"
#include "overlay/handshake/noise_detail.hpp"
#include "overlay/handshake/symmetric.hpp"
#include "overlay/handshake/x25519.hpp"

// Response: type and reserved (4), sender (4), receiver (4), ephemeral (32), sealed payload (16 and
// more; WireGuard's is empty), macs (32).

namespace ipop::overlay::handshake {
namespace {

constexpr std::size_t kSenderAt = 4;
constexpr std::size_t kReceiverAt = 8;
constexpr std::size_t kEphemeralAt = 12;
constexpr std::size_t kPayloadAt = kEphemeralAt + 32;
static_assert(kPayloadAt + kTagSize + kMacsSize == kResponseSize);

}  // namespace

Result<Response> detail::create_response_with(const Secret<32>& ephemeral,
                                              const ReceivedInitiation& initiation,
                                              std::uint32_t local_index, const Secret<32>& psk,
                                              ByteView payload) {
  if (payload.size() > max_payload(initiation.form)) return fail("handshake payload is too long");
  const std::size_t size = kResponseSize - kMacsSize + payload.size();
  Response result{.message = make_message(response_type(initiation.form), size)};
  const MutableBytes message(result.message);
  store_le(&message[kSenderAt], local_index);
  store_le(&message[kReceiverAt], initiation.remote_index);

  SymmetricState symmetric = initiation.symmetric;
  const ExchangePublicKey ephemeral_public = x25519_public(ephemeral.bytes());
  std::ranges::copy(ephemeral_public, &message[kEphemeralAt]);
  mix_ephemeral(symmetric, ephemeral_public);
  if (!mix_exchange(symmetric, ephemeral.bytes(), initiation.remote_ephemeral) ||
      !mix_exchange(symmetric, ephemeral.bytes(), initiation.remote)) {
    return fail("the initiator's key has low order");
  }
  const Secret<32> key = mix_psk(symmetric, psk);
  seal_field(symmetric, key, payload, message.subspan(kPayloadAt));

  const auto keys = split(symmetric);
  result.keys = {.send = keys[1], .receive = keys[0]};
  return result;
}

Result<Response> create_response(const ReceivedInitiation& initiation, std::uint32_t local_index,
                                 const Secret<32>& psk, ByteView payload) {
  return detail::create_response_with(Secret<32>::random(), initiation, local_index, psk, payload);
}

Result<ReceivedResponse> consume_response(const InitiatorState& state, const LocalKeys& local,
                                          const Secret<32>& psk, ByteView message) {
  if (!has_layout(message, response_type(state.form), kResponseSize, max_payload(state.form))) {
    return fail("not a handshake response of this form");
  }
  if (load_le<std::uint32_t>(&message[kReceiverAt]) != state.local_index) {
    return fail("the handshake response is for another handshake");
  }
  ReceivedResponse result{.remote_index = load_le<std::uint32_t>(&message[kSenderAt])};
  SymmetricState symmetric = state.symmetric;
  const auto remote_ephemeral = message.subspan(kEphemeralAt).first<32>();
  mix_ephemeral(symmetric, remote_ephemeral);
  if (!mix_exchange(symmetric, state.ephemeral.bytes(), remote_ephemeral) ||
      !mix_exchange(symmetric, local.secret, remote_ephemeral)) {
    return fail("the response's ephemeral key has low order");
  }
  const Secret<32> key = mix_psk(symmetric, psk);
  const ByteView sealed = message.first(message.size() - kMacsSize).subspan(kPayloadAt);
  result.payload.resize(sealed.size() - kTagSize);
  if (!open_field(symmetric, key, sealed, result.payload)) {
    return fail("the handshake response does not open: another preshared key, or damage");
  }
  const auto keys = split(symmetric);
  result.keys = {.send = keys[0], .receive = keys[1]};
  return result;
}

}  // namespace ipop::overlay::handshake
