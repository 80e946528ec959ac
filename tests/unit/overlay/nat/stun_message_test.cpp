#include "overlay/nat/stun_message.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace ipop::overlay::stun {
namespace {

Message from_hex(std::string_view text) {
  Message bytes;
  unsigned digits = 0;
  unsigned value = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    value = value * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<std::uint8_t>(value));
      value = 0;
    }
  }
  return bytes;
}

Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

// RFC 5769 §2.2 and §2.3: responses of the server "test vector" to 192.0.2.1:32853 and
// [2001:db8:1234:5678:11:2233:4455:6677]:32853.
constexpr std::string_view kResponse4 = R"(
  0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200008 0001a147 e112a643
  00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
  80280004 c07d4c96)";
constexpr std::string_view kResponse6 = R"(
  01010048 2112a442 b7e7a701 bc34d686 fa87dfae
  8022000b 74657374 20766563 746f7220
  00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
  80280004 c8fb0b4c)";

TEST(StunMessage, ReadsThePublishedResponses) {
  for (const auto& [hex, mapped] :
       {std::pair{kResponse4, "192.0.2.1:32853"},
        std::pair{kResponse6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"}}) {
    const Message bytes = from_hex(hex);
    ASSERT_TRUE(is_message(bytes));
    const auto response = parse_response(bytes);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->mapped, endpoint(mapped));
    EXPECT_EQ(response->id[0], 0xb7);
    EXPECT_EQ(response->id[11], 0xae);
    EXPECT_FALSE(parse_request(bytes));
  }
}

// Damage that hides the fingerprint itself leaves a message without one, and the right address.
TEST(StunMessage, NeverReadsAnotherAddressFromADamagedResponse) {
  const Message whole = from_hex(kResponse4);
  unsigned refused = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Message damaged = whole;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto response = parse_response(damaged);
    if (!response) {
      ++refused;
    } else {
      EXPECT_EQ(response->mapped, endpoint("192.0.2.1:32853")) << "bit " << bit;
    }
  }
  EXPECT_GT(refused, 8 * whole.size() - 32);
}

TEST(StunMessage, RefusesEveryShortenedResponse) {
  const Message whole = from_hex(kResponse6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_response(ByteView(whole).first(size))) << size;
    Message honest(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < 20) continue;
    // Even if the header tells the new length.
    store_be(&honest[2], static_cast<std::uint16_t>(size - 20));
    const auto response = parse_response(honest);
    EXPECT_TRUE(!response || response->mapped == parse_response(whole)->mapped) << size;
  }
}

TEST(StunMessage, AnswersARequestWithTheSource) {
  const TransactionId id{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Message asked = encode_request(id);
  EXPECT_EQ(asked.size(), 20u);
  const auto request = parse_request(asked);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->id, id);
  EXPECT_FALSE(request->fingerprint);
  for (const char* const source : {"192.0.2.7:1", "255.255.255.255:65535", "[2001:db8::9]:4545"}) {
    const Message answered = encode_response(*request, endpoint(source));
    EXPECT_LE(answered.size(), asked.size() + 24);
    EXPECT_TRUE(is_message(answered));
    const auto response = parse_response(answered);
    ASSERT_TRUE(response) << source;
    EXPECT_EQ(response->id, id);
    EXPECT_EQ(response->mapped, endpoint(source));
  }
}

TEST(StunMessage, AnswersAFingerprintWithAFingerprint) {
  Request request{.id = {9}, .fingerprint = true};
  const Message answered = encode_response(request, endpoint("192.0.2.7:77"));
  EXPECT_EQ(answered.size(), 40u);
  ASSERT_TRUE(parse_response(answered));
  Message damaged = answered;
  damaged[27] ^= 1;
  EXPECT_FALSE(parse_response(damaged));
}

TEST(StunMessage, KnowsHowItIsToBeAnswered) {
  const auto by = [](const char* attributes) {
    Message asked = encode_request({7});
    const Message more = from_hex(attributes);
    asked.insert(asked.end(), more.begin(), more.end());
    store_be(&asked[2], static_cast<std::uint16_t>(more.size()));
    return parse_request(asked);
  };
  EXPECT_EQ(encode_request({7}, {.response_port = 0x1234}).size(), 28u);
  const auto both = parse_request(encode_request({7}, {0x1234, true}));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->by.response_port, 0x1234);
  EXPECT_TRUE(both->by.from_other_port);
  EXPECT_TRUE(both->not_known.empty());
  EXPECT_TRUE(by("00030004 00000000")->not_known.empty());
  EXPECT_FALSE(by("00030004 00000000")->by.from_other_port);
  EXPECT_EQ(by("00270002 12340000")->by.response_port, 0x1234);
  for (const char* bad : {"00270004 00000000", "00270008 1234000000000000", "00030004 00000004",
                          "00030004 80000002", "00030000"}) {
    EXPECT_EQ(by(bad)->not_known.size(), 1u) << bad;
  }
}

// CHANGE-REQUEST (RFC 5780) must be understood; we have one address, and cannot change it.
TEST(StunMessage, RefusesWhatItMustUnderstandAndDoesNot) {
  Message asked = encode_request({7});
  const Message change = from_hex("00030004 00000006 80220004 61626364 7fff0000");
  asked.insert(asked.end(), change.begin(), change.end());
  store_be(&asked[2], static_cast<std::uint16_t>(change.size()));
  const auto request = parse_request(asked);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->not_known, (std::vector<std::uint16_t>{0x0003, 0x7fff}));
  const Message answered = encode_response(*request, endpoint("192.0.2.7:77"));
  EXPECT_LE(answered.size(), asked.size() + 24);
  const Message expected =
      from_hex("01110010 2112a442 07000000 00000000 00000000 00090004 00000414 000a0004 00037fff");
  EXPECT_EQ(answered, expected);
  const auto response = parse_response(answered);
  ASSERT_TRUE(response);
  EXPECT_FALSE(response->mapped);
}

TEST(StunMessage, TakesAPlainMappedAddressWhereThereIsNoOther) {
  const auto response = parse_response(
      from_hex("0101000c 2112a442 00000000 00000000 00000000 00010008 00010050 c0000201"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->mapped, endpoint("192.0.2.1:80"));
}

TEST(StunMessage, RefusesAddressesThatAreNone) {
  for (const char* const attribute : {"00200008 0003a147 e112a643",  // a family that does not exist
                                      "00200008 00012112 e112a643",  // port 0
                                      "00200004 0001a147",           // no address
                                      "0020000c 0001a147 e112a643 00000000",  // too long
                                      "0020ffff 0001a147 e112a643"}) {        // beyond the end
    Message bytes = from_hex("01010000 2112a442 00000000 00000000 00000000");
    const Message more = from_hex(attribute);
    bytes.insert(bytes.end(), more.begin(), more.end());
    store_be(&bytes[2], static_cast<std::uint16_t>(more.size()));
    EXPECT_FALSE(parse_response(bytes)) << attribute;
  }
}

TEST(StunMessage, IsToldFromAHandshakeByItsLength) {
  // A WireGuard initiation whose sender index is the magic cookie.
  Message initiation(148, 0);
  initiation[0] = 1;
  store_be<std::uint32_t>(&initiation[4], 0x2112a442);
  EXPECT_FALSE(is_message(initiation));
}

}  // namespace
}  // namespace ipop::overlay::stun
