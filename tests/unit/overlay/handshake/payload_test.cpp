#include "overlay/handshake/payload.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::handshake {
namespace {

using engine::AeadSuite;

constexpr std::uint8_t kChaCha = suite_bit(AeadSuite::kChaCha20Poly1305);
constexpr std::uint8_t kAes = suite_bit(AeadSuite::kAes256Gcm);

Payload example() {
  Payload payload;
  for (std::size_t i = 0; i < payload.credential.size(); ++i) {
    payload.credential[i] = static_cast<std::uint8_t>(i + 1);
  }
  payload.suites = kChaCha | kAes;
  payload.capabilities = 0x80000001;
  payload.lanes_sent = 3;
  payload.lanes_taken = 8;
  return payload;
}

TEST(Payload, SurvivesTheWire) {
  const auto parsed = Payload::parse(example().encode());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->credential, example().credential);
  EXPECT_EQ(parsed->suites, example().suites);
  EXPECT_EQ(parsed->capabilities, example().capabilities);
  EXPECT_EQ(parsed->lanes_sent, 3);
  EXPECT_EQ(parsed->lanes_taken, 8);
}

TEST(Payload, HasOneLayout) {
  const auto bytes = example().encode();
  ASSERT_EQ(bytes.size(), 39u);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[31], 32);
  EXPECT_EQ(bytes[32], 3);
  EXPECT_EQ(to_hex(ByteView(bytes).last(6)), "010000800308");
}

TEST(Payload, IgnoresWhatALaterVersionAppends) {
  auto bytes = example().encode();
  bytes.resize(kMaxPayload, 0xee);
  const auto parsed = Payload::parse(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->encode(), example().encode());
}

TEST(Payload, MustBeWhole) {
  const auto bytes = example().encode();
  for (std::size_t size = 0; size < 37; ++size) {
    EXPECT_FALSE(Payload::parse(ByteView(bytes).first(size))) << size;
  }
}

TEST(Payload, OfAnOlderNodeKnowsOneLane) {
  const auto bytes = example().encode();
  for (const std::size_t size : {37u, 38u}) {
    const auto parsed = Payload::parse(ByteView(bytes).first(size));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->lanes_sent, 1);
    EXPECT_EQ(parsed->lanes_taken, 1);
  }
}

TEST(Payload, HasAtLeastOneLane) {
  auto bytes = example().encode();
  bytes[37] = bytes[38] = 0;
  const auto parsed = Payload::parse(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->lanes_sent, 1);
  EXPECT_EQ(parsed->lanes_taken, 1);
}

TEST(Payload, MustNotExceedItsLimit) {
  auto bytes = example().encode();
  bytes.resize(kMaxPayload + 1);
  EXPECT_FALSE(Payload::parse(bytes));
}

TEST(Payload, MustNameASuite) {
  Payload payload = example();
  payload.suites = 0;
  EXPECT_FALSE(Payload::parse(payload.encode()));
}

TEST(ChooseSuite, PrefersAesIfBothHaveIt) {
  EXPECT_EQ(choose_suite(kChaCha | kAes, kChaCha | kAes), AeadSuite::kAes256Gcm);
}

TEST(ChooseSuite, FallsBackToChaCha) {
  EXPECT_EQ(choose_suite(kChaCha, kChaCha | kAes), AeadSuite::kChaCha20Poly1305);
  EXPECT_EQ(choose_suite(kChaCha | kAes, kChaCha), AeadSuite::kChaCha20Poly1305);
}

TEST(ChooseSuite, IgnoresSuitesItDoesNotKnow) {
  EXPECT_EQ(choose_suite(0xfc | kChaCha, 0xff), AeadSuite::kChaCha20Poly1305);
}

TEST(ChosenSuite, IsOneOfThoseOffered) {
  EXPECT_EQ(chosen_suite(kAes, kAes | kChaCha), AeadSuite::kAes256Gcm);
  EXPECT_EQ(chosen_suite(kChaCha, kAes | kChaCha), AeadSuite::kChaCha20Poly1305);
}

TEST(ChosenSuite, IsNothingIfNotOfferedOrNotOne) {
  EXPECT_FALSE(chosen_suite(kAes, kChaCha));
  EXPECT_FALSE(chosen_suite(kAes | kChaCha, kAes | kChaCha));
  EXPECT_FALSE(chosen_suite(0, 0xff));
  EXPECT_FALSE(chosen_suite(0x40, 0xff));
}

}  // namespace
}  // namespace ipop::overlay::handshake
