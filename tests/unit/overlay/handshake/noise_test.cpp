#include "overlay/handshake/noise.hpp"

#include <gtest/gtest.h>

#include "overlay/handshake/message.hpp"
#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

class Noise : public ::testing::TestWithParam<Form> {
 protected:
  Exchange exchange_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Forms, Noise, ::testing::Values(Form::kWireGuard, Form::kIpop), form_name);

TEST_P(Noise, EndsWithTheSameKeysCrosswise) {
  const Initiation initiation = exchange_.initiate();
  const auto received = exchange_.receive(initiation.message);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->remote, exchange_.initiator.public_key);
  EXPECT_EQ(received->timestamp, kTimestamp);
  EXPECT_EQ(received->payload, exchange_.initiation_payload);
  const Response response = exchange_.respond(*received);
  EXPECT_EQ(receiver_of(response.message), kInitiatorIndex);
  const auto finished = exchange_.finish(initiation.state, response.message);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->remote_index, kResponderIndex);
  EXPECT_EQ(finished->payload, exchange_.response_payload);
  EXPECT_EQ(finished->keys.send, response.keys.receive);
  EXPECT_EQ(finished->keys.receive, response.keys.send);
  EXPECT_FALSE(finished->keys.send == finished->keys.receive);
}

TEST_P(Noise, NeverMakesTheSameMessageTwice) {
  const Initiation one = exchange_.initiate();
  const Initiation other = exchange_.initiate();
  EXPECT_NE(one.message, other.message);
  const auto received = exchange_.receive(one.message);
  ASSERT_TRUE(received);
  const Response first = exchange_.respond(*received);
  const Response second = exchange_.respond(*received);
  EXPECT_NE(first.message, second.message);
  EXPECT_FALSE(first.keys.send == second.keys.send);
}

TEST_P(Noise, HasWireGuardsSizesAndThePayload) {
  const Initiation initiation = exchange_.initiate();
  EXPECT_EQ(initiation.message.size(), 148 + exchange_.initiation_payload.size());
  const Response response = exchange_.respond(exchange_.receive(initiation.message).value());
  EXPECT_EQ(response.message.size(), 92 + exchange_.response_payload.size());
}

TEST_P(Noise, RefusesAnotherPresharedKeyAtTheResponse) {
  const Initiation initiation = exchange_.initiate();
  const auto received = exchange_.receive(initiation.message);
  ASSERT_TRUE(received);
  const Response response = exchange_.respond(*received);
  exchange_.psk = fixed_secret("another psk");
  const auto finished = exchange_.finish(initiation.state, response.message);
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("preshared key"), std::string::npos);
}

TEST_P(Noise, RefusesAnInitiationForAnotherNode) {
  const Initiation initiation = exchange_.initiate();
  const Party other("somebody else");
  EXPECT_FALSE(consume_initiation(exchange_.form, other.keys(), initiation.message));
}

TEST_P(Noise, RefusesAnInitiatorWhoDoesNotHoldTheKeyItNames) {
  const Party impostor("impostor");
  const LocalKeys forged{impostor.secret.bytes(), exchange_.initiator.public_key};
  auto initiation = create_initiation(exchange_.form, forged, exchange_.responder.public_key,
                                      kInitiatorIndex, kTimestamp, exchange_.initiation_payload);
  ASSERT_TRUE(initiation);
  initiation->message.resize(initiation->message.size() + kMacsSize);
  EXPECT_FALSE(exchange_.receive(initiation->message));
}

TEST_P(Noise, RefusesTheOtherForm) {
  const Form other = exchange_.form == Form::kIpop ? Form::kWireGuard : Form::kIpop;
  Initiation initiation = exchange_.initiate();
  const Response response = exchange_.respond(exchange_.receive(initiation.message).value());
  EXPECT_FALSE(consume_initiation(other, exchange_.responder.keys(), initiation.message));
  initiation.state.form = other;
  EXPECT_FALSE(exchange_.finish(initiation.state, response.message));
}

// A message without payload has the same layout in both forms: only the identifier tells them
// apart once somebody changed the type.
TEST_P(Noise, RefusesTheOtherFormsBytesUnderItsOwnType) {
  const Form other = exchange_.form == Form::kIpop ? Form::kWireGuard : Form::kIpop;
  exchange_.initiation_payload.clear();
  Bytes message = exchange_.initiate().message;
  message[0] = static_cast<std::uint8_t>(initiation_type(other));
  EXPECT_FALSE(consume_initiation(other, exchange_.responder.keys(), message));
}

TEST_P(Noise, RefusesEveryWrongLength) {
  const Initiation initiation = exchange_.initiate();
  const Response response = exchange_.respond(exchange_.receive(initiation.message).value());
  for (std::size_t size = 0; size <= kMaxMessage; ++size) {
    Bytes first = initiation.message;
    first.resize(size);
    EXPECT_EQ(exchange_.receive(first).has_value(), size == initiation.message.size()) << size;
    Bytes second = response.message;
    second.resize(size);
    EXPECT_EQ(exchange_.finish(initiation.state, second).has_value(),
              size == response.message.size())
        << size;
  }
}

TEST_P(Noise, TakesNoPayloadBeyondItsLimit) {
  const std::size_t limit = exchange_.form == Form::kIpop ? kMaxPayload : 0;
  const auto initiate = [&](std::size_t size) {
    return create_initiation(exchange_.form, exchange_.initiator.keys(),
                             exchange_.responder.public_key, 1, kTimestamp, Bytes(size))
        .has_value();
  };
  EXPECT_TRUE(initiate(limit));
  EXPECT_FALSE(initiate(limit + 1));
  const auto received = exchange_.receive(exchange_.initiate().message);
  ASSERT_TRUE(received);
  EXPECT_TRUE(create_response(*received, 1, exchange_.psk, Bytes(limit)));
  EXPECT_FALSE(create_response(*received, 1, exchange_.psk, Bytes(limit + 1)));
}

TEST_P(Noise, CompletesAfterForgedResponses) {
  const Initiation initiation = exchange_.initiate();
  const Response response = exchange_.respond(exchange_.receive(initiation.message).value());
  Bytes forged = response.message;
  forged[50] ^= 1;
  EXPECT_FALSE(exchange_.finish(initiation.state, forged));
  EXPECT_FALSE(exchange_.finish(initiation.state, Bytes(92)));
  EXPECT_TRUE(exchange_.finish(initiation.state, response.message));
}

TEST_P(Noise, RefusesAResponseToAnotherInitiation) {
  const Initiation first = exchange_.initiate();
  const Initiation second = exchange_.initiate();
  const Response response = exchange_.respond(exchange_.receive(first.message).value());
  EXPECT_FALSE(exchange_.finish(second.state, response.message));
}

TEST_P(Noise, RefusesAResponseForAnotherIndex) {
  Initiation initiation = exchange_.initiate();
  const Response response = exchange_.respond(exchange_.receive(initiation.message).value());
  initiation.state.local_index += 1;
  const auto finished = exchange_.finish(initiation.state, response.message);
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().message.find("another handshake"), std::string::npos);
}

// The points of low order (RFC 7748 §6.1 and its security considerations): with one of them the
// shared secret is zero whatever the other side's key is.
const Bytes kLowOrder[] = {
    Bytes(32),
    [] {
      Bytes one(32);
      one[0] = 1;
      return one;
    }(),
    from_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800").value(),
    from_hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157").value(),
    from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").value(),
    from_hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f").value(),
};

ExchangePublicKey key_of(const Bytes& bytes) {
  ExchangePublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

TEST_P(Noise, RefusesKeysOfLowOrder) {
  for (const Bytes& point : kLowOrder) {
    EXPECT_FALSE(create_initiation(exchange_.form, exchange_.initiator.keys(), key_of(point), 1,
                                   kTimestamp, {}));

    Initiation initiation = exchange_.initiate();
    auto received = exchange_.receive(initiation.message).value();
    Bytes response = exchange_.respond(received).message;
    std::copy(point.begin(), point.end(), response.begin() + 12);
    const auto finished = exchange_.finish(initiation.state, response);
    ASSERT_FALSE(finished);
    EXPECT_NE(finished.error().message.find("low order"), std::string::npos);

    std::copy(point.begin(), point.end(), initiation.message.begin() + 8);
    const auto damaged = exchange_.receive(initiation.message);
    ASSERT_FALSE(damaged);
    EXPECT_NE(damaged.error().message.find("low order"), std::string::npos);

    received.remote_ephemeral = key_of(point);
    EXPECT_FALSE(create_response(received, 1, exchange_.psk, {}));
  }
}

TEST(ReceiverOf, ReadsResponsesAndCookieRepliesOnly) {
  const auto message = [](std::uint8_t type, std::size_t size) {
    Bytes bytes(size);
    bytes[0] = type;
    store_le<std::uint32_t>(&bytes[4], 0x04040404);
    store_le<std::uint32_t>(&bytes[8], 0x08080808);
    return bytes;
  };
  EXPECT_EQ(receiver_of(message(2, 92)), 0x08080808u);
  EXPECT_EQ(receiver_of(message(0x12, 92)), 0x08080808u);
  EXPECT_EQ(receiver_of(message(0x12, 92 + kMaxPayload)), 0x08080808u);
  EXPECT_EQ(receiver_of(message(3, 64)), 0x04040404u);
  EXPECT_FALSE(receiver_of(message(1, 148)));
  EXPECT_FALSE(receiver_of(message(0x11, 148)));
  EXPECT_FALSE(receiver_of(message(2, 91)));
  EXPECT_FALSE(receiver_of(message(2, 93)));
  EXPECT_FALSE(receiver_of(message(3, 63)));
  EXPECT_FALSE(receiver_of(message(0x12, 93 + kMaxPayload)));
  EXPECT_FALSE(receiver_of({}));
  Bytes reserved = message(3, 64);
  reserved[2] = 1;
  EXPECT_FALSE(receiver_of(reserved));
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
