#include <algorithm>

#include "overlay/handshake/message.hpp"
#include "overlay/handshake/noise_detail.hpp"
#include "overlay/handshake/symmetric.hpp"
#include "overlay/handshake/x25519.hpp"

// Initiation: type and reserved (4), sender (4), ephemeral (32), sealed static key (48), sealed
// timestamp and payload (28 and more), macs (32).

namespace ipop::overlay::handshake {
namespace {

constexpr std::size_t kSenderAt = 4;
constexpr std::size_t kEphemeralAt = 8;
constexpr std::size_t kStaticAt = kEphemeralAt + 32;
constexpr std::size_t kTimestampAt = kStaticAt + 32 + kTagSize;
constexpr std::size_t kTimestampSize = std::tuple_size_v<Timestamp>;
static_assert(kTimestampAt + kTimestampSize + kTagSize + kMacsSize == kInitiationSize);

}  // namespace

Result<Initiation> detail::create_initiation_with(const Secret<32>& ephemeral, Form form,
                                                  const LocalKeys& local,
                                                  const ExchangePublicKey& remote,
                                                  std::uint32_t local_index,
                                                  const Timestamp& timestamp, ByteView payload) {
  if (payload.size() > max_payload(form)) return fail("handshake payload is too long");
  const std::size_t size = kInitiationSize - kMacsSize + payload.size();
  Initiation result{
      .message = make_message(initiation_type(form), size),
      .state = {.form = form,
                .symmetric = start_transcript(form, remote),
                .ephemeral = ephemeral,
                .remote = remote,
                .local_index = local_index},
  };
  const MutableBytes message(result.message);
  SymmetricState& symmetric = result.state.symmetric;
  store_le(&message[kSenderAt], local_index);

  const ExchangePublicKey ephemeral_public = x25519_public(ephemeral.bytes());
  std::ranges::copy(ephemeral_public, &message[kEphemeralAt]);
  mix_ephemeral(symmetric, ephemeral_public);

  Secret<32> key;
  if (!mix_exchange(symmetric, ephemeral.bytes(), remote, key)) {
    return fail("the peer's public key is not a usable X25519 key");
  }
  seal_field(symmetric, key, local.public_key, message.subspan(kStaticAt, 32 + kTagSize));

  if (!mix_exchange(symmetric, local.secret, remote, key)) {
    return fail("the peer's public key is not a usable X25519 key");
  }
  std::array<std::uint8_t, kTimestampSize + kMaxPayload> plaintext;
  std::ranges::copy(timestamp, plaintext.begin());
  std::ranges::copy(payload, plaintext.begin() + kTimestampSize);
  seal_field(symmetric, key, ByteView(plaintext).first(kTimestampSize + payload.size()),
             message.subspan(kTimestampAt));
  return result;
}

Result<Initiation> create_initiation(Form form, const LocalKeys& local,
                                     const ExchangePublicKey& remote, std::uint32_t local_index,
                                     const Timestamp& timestamp, ByteView payload) {
  return detail::create_initiation_with(Secret<32>::random(), form, local, remote, local_index,
                                        timestamp, payload);
}

Result<ReceivedInitiation> consume_initiation(Form form, const LocalKeys& local, ByteView message) {
  if (!has_layout(message, initiation_type(form), kInitiationSize, max_payload(form))) {
    return fail("not a handshake initiation of this form");
  }
  ReceivedInitiation result{
      .form = form,
      .remote_index = load_le<std::uint32_t>(&message[kSenderAt]),
      .symmetric = start_transcript(form, local.public_key),
  };
  SymmetricState& symmetric = result.symmetric;
  std::ranges::copy(message.subspan(kEphemeralAt, 32), result.remote_ephemeral.begin());
  mix_ephemeral(symmetric, result.remote_ephemeral);

  Secret<32> key;
  if (!mix_exchange(symmetric, local.secret, result.remote_ephemeral, key)) {
    return fail("the initiation's ephemeral key has low order");
  }
  if (!open_field(symmetric, key, message.subspan(kStaticAt, 32 + kTagSize), result.remote)) {
    return fail("the initiation is not for this node's key, or was damaged");
  }
  if (!mix_exchange(symmetric, local.secret, result.remote, key)) {
    return fail("the initiation's static key has low order");
  }
  const ByteView sealed = message.first(message.size() - kMacsSize).subspan(kTimestampAt);
  std::array<std::uint8_t, kTimestampSize + kMaxPayload> plaintext;
  const MutableBytes opened = MutableBytes(plaintext).first(sealed.size() - kTagSize);
  if (!open_field(symmetric, key, sealed, opened)) {
    return fail("the initiation's sender does not hold its static key, or it was damaged");
  }
  std::ranges::copy(opened.first(kTimestampSize), result.timestamp.begin());
  const MutableBytes payload = opened.subspan(kTimestampSize);
  result.payload.assign(payload.begin(), payload.end());
  return result;
}

}  // namespace ipop::overlay::handshake
