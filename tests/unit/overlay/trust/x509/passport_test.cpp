#include "overlay/trust/x509/passport.hpp"

#include <gtest/gtest.h>

#include "tests/support/certificates.hpp"

namespace ipop::overlay::x509 {
namespace {

const Identity& node() {
  static const Identity identity = Identity::generate();
  return identity;
}

std::vector<std::uint8_t> encoded_passport() {
  const Issuer ca = make_test_ca();
  const Issuer between =
      *ca.make_ca(*HostKey::generate(KeyKind::kEcdsaP256),
                  {.name = "between", .validity = kTestValidity, .permitted = {}, .depth = 0});
  const TestHost alice(between, names_of("alice", {"192.168.10.10"}));
  return *alice.passport(node(), kTestNetwork, {between.certificate()}).encode();
}

TEST(Passport, IsWrittenAsItWasRead) {
  const auto encoded = encoded_passport();
  const auto parsed = Passport::parse(encoded);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->chain.size(), 2u);
  EXPECT_EQ(parsed->chain[0].name(), "alice");
  EXPECT_EQ(parsed->encode(), encoded);
}

TEST(Passport, RefusesEveryLengthThatIsTooShortAndOneThatIsTooLong) {
  auto encoded = encoded_passport();
  for (std::size_t size = 0; size < encoded.size(); ++size)
    EXPECT_FALSE(Passport::parse(ByteView(encoded).first(size))) << size;
  encoded.push_back(0);
  EXPECT_FALSE(Passport::parse(encoded));
  EXPECT_FALSE(Passport::parse(std::vector<std::uint8_t>(kMaxPassport + 1, 1)));
}

TEST(Passport, NeverCountsWithOneDamagedByte) {
  const Issuer ca = make_test_ca();
  const TestHost alice(ca, names_of("alice", {"192.168.10.10"}));
  const auto authorities = Authorities::make({ca.certificate()}, {});
  const auto encoded = *alice.passport(node()).encode();
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    auto damaged = encoded;
    damaged[at] ^= 0x10;
    const auto parsed = Passport::parse(damaged);
    if (!parsed) continue;
    EXPECT_FALSE(authorities->judge(*parsed, node().signing_key(), hosts({"192.168.10.10"}),
                                    kTestNetwork, kTestTime))
        << at;
  }
}

TEST(Passport, HasOneToFourCertificates) {
  const Issuer ca = make_test_ca();
  const TestHost alice(ca, names_of("alice", {"192.168.10.10"}));
  Passport passport = alice.passport(node());
  passport.chain.assign(kMaxChain + 1, alice.certificate);
  EXPECT_FALSE(passport.encode());
  passport.chain.clear();
  EXPECT_FALSE(passport.encode());
}

TEST(Passport, LeavesOutTheCasOwnCertificate) {
  const Issuer ca = make_test_ca();
  const TestHost alice(ca, names_of("alice", {"192.168.10.10"}));
  EXPECT_EQ(alice.passport(node(), kTestNetwork, {ca.certificate()}).chain.size(), 1u);
}

TEST(Passport, NeedsTheKeyOfItsCertificate) {
  const Issuer ca = make_test_ca();
  const TestHost alice(ca, names_of("alice", {"192.168.10.10"}));
  EXPECT_FALSE(make_passport({alice.certificate}, *HostKey::generate(KeyKind::kEcdsaP256),
                             node().signing_key(), kTestNetwork));
}

}  // namespace
}  // namespace ipop::overlay::x509
