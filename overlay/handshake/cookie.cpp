#include "overlay/handshake/cookie.hpp"

#include <sodium.h>

#include <algorithm>

#include "overlay/handshake/blake2s.hpp"
#include "overlay/handshake/message.hpp"

// Cookie reply: type and reserved (4), receiver (4), nonce (24), sealed cookie (16 and a tag).

namespace ipop::overlay::handshake {
namespace {

constexpr Duration kCookieLifetime = std::chrono::seconds(120);

constexpr std::size_t kSenderAt = 4;
constexpr std::size_t kNonceAt = 8;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kSealedAt = kNonceAt + kNonceSize;
constexpr std::size_t kSealedSize = Secret<16>::kSize + crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealedAt + kSealedSize == kCookieReplySize);

Secret<32> labelled_key(Form form, std::string_view label, const ExchangePublicKey& remote,
                        const Secret<32>& network_mac) {
  Secret<32> key;
  if (form == Form::kWireGuard) {
    key = Secret<32>(blake2s({label_bytes(label), remote}));
  } else {
    blake2s_mac(network_mac.bytes(), {label_bytes(label), remote}, key.bytes());
  }
  return key;
}

Mac mac(ByteView key, ByteView message) {
  Mac out;
  blake2s_mac(key, {message}, out);
  return out;
}

bool is_mac(ByteView key, ByteView message, ByteView claimed) {
  const Mac right = mac(key, message);
  return sodium_memcmp(right.data(), claimed.data(), right.size()) == 0;
}

// The parts of a message that macs are made of and compared with.
ByteView before_mac1(ByteView message) {
  return message.first(message.size() - kMacsSize);
}
ByteView before_mac2(ByteView message) {
  return message.first(message.size() - sizeof(Mac));
}
ByteView mac1_of(ByteView message) {
  return message.last(kMacsSize).first(sizeof(Mac));
}
ByteView mac2_of(ByteView message) {
  return message.last(sizeof(Mac));
}

}  // namespace

Secret<32> mac1_key(Form form, const ExchangePublicKey& remote, const Secret<32>& network_mac) {
  return labelled_key(form, "mac1----", remote, network_mac);
}

Secret<32> cookie_key(Form form, const ExchangePublicKey& remote, const Secret<32>& network_mac) {
  return labelled_key(form, "cookie--", remote, network_mac);
}

MacWriter::MacWriter(Form form, const ExchangePublicKey& remote, const Secret<32>& network_mac)
    : mac1_key_(mac1_key(form, remote, network_mac)),
      cookie_key_(cookie_key(form, remote, network_mac)) {}

void MacWriter::append_macs(std::vector<std::uint8_t>& message, Instant now) {
  last_mac1_ = mac(mac1_key_.bytes(), message);
  sent_ = true;
  message.insert(message.end(), last_mac1_.begin(), last_mac1_.end());
  if (cookie_ && now >= cookie_until_) cookie_.reset();
  const Mac mac2 = cookie_ ? mac(cookie_->bytes(), message) : Mac{};
  message.insert(message.end(), mac2.begin(), mac2.end());
}

bool MacWriter::consume_reply(ByteView reply, Instant now) {
  if (!sent_ || !has_layout(reply, MessageType::kCookieReply, kCookieReplySize, 0)) return false;
  Secret<16> cookie;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(cookie.data(), nullptr, nullptr, &reply[kSealedAt],
                                                 kSealedSize, last_mac1_.data(), last_mac1_.size(),
                                                 &reply[kNonceAt], cookie_key_.data()) != 0) {
    return false;
  }
  cookie_ = cookie;
  cookie_until_ = now + kCookieLifetime;
  // One reply to a message: a copy of it, sent again later, must not prolong its life.
  sent_ = false;
  return true;
}

MacChecker::MacChecker(Form form, const ExchangePublicKey& local, const Secret<32>& network_mac)
    : mac1_key_(mac1_key(form, local, network_mac)),
      cookie_key_(cookie_key(form, local, network_mac)) {}

MacVerdict MacChecker::check(ByteView message, const Endpoint& source, Instant now) {
  // No message with macs is shorter than a response, so a cookie reply is never the longer one.
  if (message.size() < kResponseSize || message.size() > kMaxMessage) return MacVerdict::kInvalid;
  if (!is_mac(mac1_key_.bytes(), before_mac1(message), mac1_of(message))) {
    return MacVerdict::kInvalid;
  }
  const ByteView claimed = mac2_of(message);
  if (sodium_is_zero(claimed.data(), claimed.size()) == 1) return MacVerdict::kValid;
  rotate(now);
  const auto proves = [&](const Secret<32>& secret) {
    return is_mac(cookie_for(source, secret).bytes(), before_mac2(message), claimed);
  };
  const bool proven = proves(secret_) || (has_previous_ && proves(previous_secret_));
  return proven ? MacVerdict::kProven : MacVerdict::kValid;
}

std::vector<std::uint8_t> MacChecker::make_reply(ByteView message, const Endpoint& source,
                                                 Instant now) {
  rotate(now);
  const Secret<16> cookie = cookie_for(source, secret_);
  const ByteView mac1 = mac1_of(message);
  std::vector<std::uint8_t> reply = make_message(MessageType::kCookieReply, kCookieReplySize);
  std::ranges::copy(message.subspan(kSenderAt, 4), reply.begin() + kSenderAt);
  randombytes_buf(&reply[kNonceAt], kNonceSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(&reply[kSealedAt], nullptr, cookie.data(),
                                             Secret<16>::kSize, mac1.data(), mac1.size(), nullptr,
                                             &reply[kNonceAt], cookie_key_.data());
  return reply;
}

Secret<16> MacChecker::cookie_for(const Endpoint& source, const Secret<32>& secret) const {
  std::array<std::uint8_t, 2> port;
  store_be(port.data(), source.port);
  Secret<16> cookie;
  blake2s_mac(secret.bytes(), {source.address.bytes(), port}, cookie.bytes());
  return cookie;
}

void MacChecker::rotate(Instant now) {
  if (started_ && now < secret_until_) return;
  // After a long rest the old secret is not "the one before": its cookies have all expired.
  has_previous_ = started_ && now < secret_until_ + kCookieLifetime;
  previous_secret_ = secret_;
  secret_ = Secret<32>::random();
  secret_until_ = now + kCookieLifetime;
  started_ = true;
}

}  // namespace ipop::overlay::handshake
