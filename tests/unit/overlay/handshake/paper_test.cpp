// The product's bytes against those of the slow model, for both forms and random keys.
#include <gtest/gtest.h>

#include <random>

#include "overlay/handshake/noise_detail.hpp"
#include "paper_model.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

Secret<32> secret(std::mt19937_64& random) {
  Secret<32> out;
  for (std::uint8_t& byte : out.bytes())
    byte = static_cast<std::uint8_t>(random());
  return out;
}

Bytes payload(Form form, std::mt19937_64& random) {
  Bytes out(form == Form::kIpop ? random() % (kMaxPayload + 1) : 0);
  for (std::uint8_t& byte : out)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

Script random_script(Form form, std::mt19937_64& random) {
  Script script{.form = form,
                .initiator_secret = secret(random),
                .initiator_ephemeral = secret(random),
                .responder_secret = secret(random),
                .responder_ephemeral = secret(random),
                .psk = random() % 2 == 0 ? secret(random) : Secret<32>(),
                .network_mac = form == Form::kIpop ? secret(random) : Secret<32>(),
                .initiator_index = static_cast<std::uint32_t>(random()),
                .responder_index = static_cast<std::uint32_t>(random()),
                .initiation_payload = payload(form, random),
                .response_payload = payload(form, random)};
  for (std::uint8_t& byte : script.timestamp)
    byte = static_cast<std::uint8_t>(random());
  return script;
}

ExchangePublicKey public_of(const Secret<32>& secret) {
  ExchangePublicKey key;
  crypto_scalarmult_base(key.data(), secret.data());
  return key;
}

std::string hex(const Secret<32>& secret) {
  return to_hex(secret.bytes());
}

void expect_same_bytes(const Script& script) {
  const Play expected = play(script);
  const ExchangePublicKey initiator = public_of(script.initiator_secret);
  const ExchangePublicKey responder = public_of(script.responder_secret);
  const LocalKeys initiator_keys{script.initiator_secret.bytes(), initiator};
  const LocalKeys responder_keys{script.responder_secret.bytes(), responder};

  auto initiation = detail::create_initiation_with(
      script.initiator_ephemeral, script.form, initiator_keys, responder, script.initiator_index,
      script.timestamp, script.initiation_payload);
  ASSERT_TRUE(initiation);
  MacWriter(script.form, responder, script.network_mac).append_macs(initiation->message, at({}));
  EXPECT_EQ(to_hex(initiation->message), to_hex(expected.initiation));

  const auto received = consume_initiation(script.form, responder_keys, expected.initiation);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->remote, initiator);
  EXPECT_EQ(received->remote_index, script.initiator_index);
  EXPECT_EQ(received->timestamp, script.timestamp);
  EXPECT_EQ(received->payload, script.initiation_payload);

  auto response =
      detail::create_response_with(script.responder_ephemeral, *received, script.responder_index,
                                   script.psk, script.response_payload);
  ASSERT_TRUE(response);
  MacWriter(script.form, initiator, script.network_mac).append_macs(response->message, at({}));
  EXPECT_EQ(to_hex(response->message), to_hex(expected.response));
  EXPECT_EQ(hex(response->keys.receive), to_hex(expected.initiator_to_responder));
  EXPECT_EQ(hex(response->keys.send), to_hex(expected.responder_to_initiator));

  const auto finished =
      consume_response(initiation->state, initiator_keys, script.psk, expected.response);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->remote_index, script.responder_index);
  EXPECT_EQ(finished->payload, script.response_payload);
  EXPECT_EQ(hex(finished->keys.send), to_hex(expected.initiator_to_responder));
  EXPECT_EQ(hex(finished->keys.receive), to_hex(expected.responder_to_initiator));
}

TEST(Noise, WritesWireGuardsBytesAsThePaperHasThem) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    expect_same_bytes(random_script(Form::kWireGuard, random));
  }
}

TEST(Noise, WritesIpopsBytesAsThePaperHasThemWithPayloads) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50 && !HasFailure(); ++i) {
    expect_same_bytes(random_script(Form::kIpop, random));
  }
}

TEST(MacWriter, MakesMac2AsThePaperHasIt) {
  // §5.4.7: the reply seals MAC(secret, address); whatever it seals is the key of mac2 (§5.4.4).
  const Party responder("responder");
  MacWriter writer(Form::kWireGuard, responder.public_key, Secret<32>());
  Bytes message(116, 7);
  writer.append_macs(message, at({}));
  const Bytes mac1(message.end() - 32, message.end() - 16);

  const Bytes cookie(16, 0x5a);
  const Bytes nonce(24, 0x31);
  Bytes labelled = text("cookie--");
  labelled.insert(labelled.end(), responder.public_key.begin(), responder.public_key.end());
  const Bytes key = model_hash(labelled);
  Bytes subkey(32);  // XChaCha20: HChaCha20 of the nonce's first 16 bytes, then plain ChaCha20
  crypto_core_hchacha20(subkey.data(), nonce.data(), key.data(), nullptr);
  Bytes short_nonce(4);
  short_nonce.insert(short_nonce.end(), nonce.begin() + 16, nonce.end());
  Bytes reply{3, 0, 0, 0, 1, 2, 3, 4};
  reply.insert(reply.end(), nonce.begin(), nonce.end());
  const Bytes sealed = model_seal(subkey, short_nonce, cookie, mac1);
  reply.insert(reply.end(), sealed.begin(), sealed.end());

  ASSERT_TRUE(writer.consume_reply(reply, at({})));
  Bytes next(116, 8);
  writer.append_macs(next, at({}));
  const Bytes before_mac2(next.begin(), next.end() - 16);
  const Bytes mac2(next.end() - 16, next.end());
  EXPECT_EQ(mac2, model_mac(cookie, before_mac2, 16));
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
