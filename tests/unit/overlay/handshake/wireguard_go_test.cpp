// What was said over loopback with another implementation, wireguard-go 0.0.20220316, which took
// each of our messages. Our ephemeral keys were fixed, so that our half can be said again.
#include <gtest/gtest.h>

#include "overlay/handshake/noise_detail.hpp"
#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

constexpr std::string_view kOurInitiation =
    "01000000443322111a60d4395f002894f82a09f14d3999fa671993e5ed6ce91177db6554764594165227"
    "6a236f86bf878862f088e4d3064442a5a063ff7b951f266b9b7504127ae5b269f50ecb88ab93d1ca0ac3"
    "06901f80be1f9fd9cd669d94f7e7bed51319d26221b6edb6c3dd32e3903cd94693169349456074f81edd"
    "757a73c47ffe00000000000000000000000000000000";
constexpr std::string_view kItsResponse =
    "020000001515add244332211e8466623d3bb2dad0014d4608de6d6992fdf7f5e04c6dafa33e5e9ca2b4e"
    "8b68912cda938eea5572bd0d5533fee0ce508038bec683e221a00d7083af80631df60000000000000000"
    "0000000000000000";
constexpr std::string_view kItsInitiation =
    "010000002ec1191669739d24d751651562a30a5df293f3dab3e3dfdd8f74a3fd2ebe1ad9fab67766c009"
    "32698b88d2c61e85efeea4250a41cba47056c9e81dcb5b7f2a18318e4813316dbd9d63e7267ac6072868"
    "5858f632fb47c51841273803960f727a2090ecfaf6ecc523dc523733eb4812e390477da3178a4bc81b2e"
    "155657c6707100000000000000000000000000000000";
constexpr std::string_view kOurResponse =
    "02000000d4c3b2a12ec119160a210563d299527fc7cfcbd66b959fff3dfc33a01431f31054efc3630af7"
    "7f3ae1787c53ef405f32a3aa517ef3a1fdd4641011fa3f647bfd5fbe76cdd5cf61490000000000000000"
    "0000000000000000";
constexpr std::string_view kItsKeepalive =
    "04000000d4c3b2a100000000000000007d3d7f28dfe09dc77ab5a7d17139062b";
constexpr std::string_view kRefusedInitiation =
    "010000004d000000b10c479a0f4a85ccbc6c93e89b304b5f55cc9850fd87f3daa44d0880823b0759619a"
    "28dd1034fce50904ea2e8e7243e227c350f1c8489cec75b26f9fcbdc0954e9f01ebb2a38bd78cc4e2414"
    "a4c2b9f3c083cfc2393465efdbb69f7f99d91779f9c54430693654f28b571962b053b07ba039603901a8"
    "c4e919462b8a00000000000000000000000000000000";
constexpr std::string_view kItsCookieReply =
    "030000004d000000a52214f224073bbd65903e8aac88024c0932cede2c5817ab8d33b16265ec6a888c93"
    "462774fbd56df2519de956f632883a3d68a7c6bfba8a";

Bytes recorded(std::string_view hex) {
  return from_hex(hex).value();
}

class WireGuardGo : public ::testing::Test {
 protected:
  Bytes with_macs(Bytes message) {
    writer_.append_macs(message, at({}));
    return message;
  }
  MacVerdict verdict(const Bytes& message) {
    return checker_.check(message, endpoint("127.0.0.1:51820"), at({}));
  }

  Party we_{"transcript peer"};
  Party it_{"transcript wireguard-go"};
  Secret<32> psk_ = fixed_secret("transcript psk");
  MacWriter writer_{Form::kWireGuard, it_.public_key, Secret<32>()};
  MacChecker checker_{Form::kWireGuard, we_.public_key, Secret<32>()};
};

TEST_F(WireGuardGo, AnsweredOurInitiation) {
  Timestamp timestamp;
  std::ranges::copy(recorded("400000006b02f52814000000"), timestamp.begin());
  const auto initiation =
      detail::create_initiation_with(fixed_secret("transcript ephemeral"), Form::kWireGuard,
                                     we_.keys(), it_.public_key, kInitiatorIndex, timestamp, {});
  ASSERT_TRUE(initiation);
  EXPECT_EQ(to_hex(with_macs(initiation->message)), kOurInitiation);

  const Bytes response = recorded(kItsResponse);
  EXPECT_EQ(verdict(response), MacVerdict::kValid);
  const auto finished = consume_response(initiation->state, we_.keys(), psk_, response);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->remote_index, load_le<std::uint32_t>(&response[4]));
}

TEST_F(WireGuardGo, FinishedAHandshakeOfItsOwnWithOurResponse) {
  const Bytes initiation = recorded(kItsInitiation);
  EXPECT_EQ(verdict(initiation), MacVerdict::kValid);
  const auto received = consume_initiation(Form::kWireGuard, we_.keys(), initiation);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->remote, it_.public_key);
  EXPECT_EQ(to_hex(received->timestamp), "400000006b02f52a10000000");
  const auto response = detail::create_response_with(fixed_secret("transcript response ephemeral"),
                                                     *received, kResponderIndex, psk_, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(to_hex(with_macs(response->message)), kOurResponse);

  // Its first datagram in the session: counter 0, an empty plaintext, under our receiving key.
  const Bytes keepalive = recorded(kItsKeepalive);
  const Bytes nonce(crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
  EXPECT_EQ(load_le<std::uint32_t>(&keepalive[4]), kResponderIndex);
  EXPECT_EQ(crypto_aead_chacha20poly1305_ietf_decrypt(nullptr, nullptr, nullptr, &keepalive[16],
                                                      keepalive.size() - 16, nullptr, 0,
                                                      nonce.data(), response->keys.receive.data()),
            0);
}

TEST_F(WireGuardGo, SentACookieUnderLoad) {
  const Bytes refused = recorded(kRefusedInitiation);
  EXPECT_EQ(with_macs(Bytes(refused.begin(), refused.end() - 32)), refused);
  const Bytes reply = recorded(kItsCookieReply);
  EXPECT_EQ(receiver_of(reply), load_le<std::uint32_t>(&refused[4]));
  EXPECT_TRUE(writer_.consume_reply(reply, at({})));
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
