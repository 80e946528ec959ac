#include "overlay/trust/x509/authorities.hpp"

#include <gtest/gtest.h>

#include "tests/support/certificates.hpp"

namespace ipop::overlay::x509 {
namespace {

using namespace std::chrono_literals;

const Identity& node() {
  static const Identity identity = Identity::generate();
  return identity;
}

class Judging : public ::testing::Test {
 protected:
  [[nodiscard]] Judged<Standing> judge(const Passport& passport, const char* address = kAddress,
                                       WallTime now = kTestTime) const {
    return authorities_.judge(passport, node().signing_key(), hosts({address}), kTestNetwork, now);
  }
  static Reason reason_of(const Judged<Standing>& judged) {
    EXPECT_FALSE(judged.has_value());
    if (judged) return Reason{};
    EXPECT_FALSE(judged.error().detail.empty());
    return judged.error().reason;
  }

  static constexpr const char* kAddress = "192.168.10.10";
  Issuer ca_ = make_test_ca();
  Authorities authorities_ = Authorities::make({ca_.certificate()}, {}).value();
};

TEST_F(Judging, LetsInWhomItsCaNamesForTheAddress) {
  const TestHost alice(ca_, names_of("alice", {kAddress, "fd00::10"}, {"web", "admin"}));
  const auto judged = authorities_.judge(alice.passport(node()), node().signing_key(),
                                         hosts({kAddress, "fd00::10"}), kTestNetwork, kTestTime);
  ASSERT_TRUE(judged) << judged.error().detail;
  EXPECT_EQ(judged->name, "alice");
  EXPECT_EQ(judged->groups, (std::vector<std::string>{"web", "admin"}));
  EXPECT_EQ(judged->dns_names, std::vector<std::string>{"alice"});
  EXPECT_EQ(judged->valid_until, kTestValidity.until);
}

TEST_F(Judging, TakesEveryKindOfKeyOfHostsAndCas) {
  for (const KeyKind kind :
       {KeyKind::kEcdsaP256, KeyKind::kEcdsaP384, KeyKind::kEd25519, KeyKind::kRsa2048}) {
    const Issuer ca = make_test_ca("CA", kind);
    const TestHost alice(ca, names_of("alice", {kAddress}), kind);
    const auto judged = Authorities::make({ca.certificate()}, {})
                            ->judge(alice.passport(node()), node().signing_key(), hosts({kAddress}),
                                    kTestNetwork, kTestTime);
    EXPECT_TRUE(judged) << int(kind) << ": " << judged.error().detail;
  }
}

TEST_F(Judging, FollowsAChainAndEndsWithItsEarliestPart) {
  const Validity shorter{kTestValidity.from, kTestTime + 24h};
  const Issuer between =
      *ca_.make_ca(*HostKey::generate(KeyKind::kEd25519),
                   {.name = "between", .validity = shorter, .permitted = {}, .depth = 0});
  const TestHost alice(between, names_of("alice", {kAddress}));
  const auto judged = judge(alice.passport(node(), kTestNetwork, {between.certificate()}));
  ASSERT_TRUE(judged) << judged.error().detail;
  EXPECT_EQ(judged->valid_until, shorter.until);
  EXPECT_EQ(reason_of(judge(alice.passport(node()))), Reason::kOtherCa);
  // Trusted by itself, it needs nobody above it.
  const auto partial = Authorities::make({between.certificate()}, {})
                           ->judge(alice.passport(node()), node().signing_key(), hosts({kAddress}),
                                   kTestNetwork, kTestTime);
  EXPECT_TRUE(partial) << partial.error().detail;
}

TEST_F(Judging, RefusesAnotherCasEvenOfTheSameName) {
  const Issuer other = make_test_ca();
  const TestHost mallory(other, names_of("mallory", {kAddress}));
  EXPECT_EQ(reason_of(judge(mallory.passport(node()))), Reason::kOtherCa);
}

TEST_F(Judging, BelievesBothOfTwoCasOfTheSameName) {
  const Issuer next = make_test_ca();
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const TestHost bob(next, names_of("bob", {kAddress}));
  authorities_ = Authorities::make({ca_.certificate(), next.certificate()}, {}).value();
  EXPECT_TRUE(judge(alice.passport(node())));
  EXPECT_TRUE(judge(bob.passport(node())));
  authorities_ = Authorities::make({next.certificate(), ca_.certificate()}, {}).value();
  EXPECT_TRUE(judge(alice.passport(node())));
  EXPECT_TRUE(judge(bob.passport(node())));
  EXPECT_FALSE(
      Authorities::make({ca_.certificate(), next.certificate(), make_test_ca().certificate()}, {}));
}

TEST_F(Judging, RefusesBeforeAndAfterTheValidity) {
  const TestHost alice(ca_, names_of("alice", {kAddress}), KeyKind::kEcdsaP256,
                       {kTestTime - 1h, kTestTime + 1h});
  const Passport passport = alice.passport(node());
  EXPECT_TRUE(judge(passport, kAddress, kTestTime + 59min));
  EXPECT_EQ(reason_of(judge(passport, kAddress, kTestTime + 1h + 1s)), Reason::kExpired);
  EXPECT_EQ(reason_of(judge(passport, kAddress, kTestTime - 1h - 1s)), Reason::kNotYetValid);
}

TEST_F(Judging, TellsThatACaItselfHasExpired) {
  const Issuer old = make_test_ca("old CA", KeyKind::kEcdsaP256, {kTestTime - 48h, kTestTime + 1h});
  const TestHost alice(old, names_of("alice", {kAddress}));
  authorities_ = Authorities::make({old.certificate()}, {}).value();
  EXPECT_TRUE(judge(alice.passport(node())));
  const auto judged = judge(alice.passport(node()), kAddress, kTestTime + 2h);
  EXPECT_EQ(reason_of(judged), Reason::kExpired);
  EXPECT_NE(judged.error().detail.find("old CA"), std::string::npos) << judged.error().detail;
}

TEST_F(Judging, RefusesAnAddressThatIsNotNamed) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const auto judged = judge(alice.passport(node()), "192.168.10.11");
  EXPECT_EQ(reason_of(judged), Reason::kAddressNotNamed);
  EXPECT_NE(judged.error().detail.find("192.168.10.11"), std::string::npos);
  EXPECT_NE(judged.error().detail.find("names 192.168.10.10"), std::string::npos);
  const TestHost nobody(ca_, names_of("nobody", {}));
  EXPECT_EQ(reason_of(judge(nobody.passport(node()))), Reason::kAddressNotNamed);
}

TEST_F(Judging, RefusesTheBindingOfAnotherNodeAndNetwork) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const Identity other = Identity::generate();
  EXPECT_EQ(reason_of(judge(alice.passport(other))), Reason::kBindingOfAnother);
  EXPECT_EQ(reason_of(judge(alice.passport(node(), NetworkId{9}))), Reason::kBindingOfAnother);
  Passport prolonged = alice.passport(node());
  prolonged.binding.not_after += 1s;
  EXPECT_EQ(reason_of(judge(prolonged)), Reason::kBindingOfAnother);
  const TestHost bob(ca_, names_of("bob", {kAddress}));
  Passport stolen = alice.passport(node());
  stolen.chain = {bob.certificate};
  EXPECT_EQ(reason_of(judge(stolen)), Reason::kBindingOfAnother);
}

TEST_F(Judging, RefusesABindingThatHasEndedBeforeItsCertificate) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const auto end = std::chrono::floor<std::chrono::seconds>(kTestTime);
  const Passport passport{
      {alice.certificate},
      *KeyBinding::make(alice.key, node().signing_key(), kTestNetwork, end + 10s)};
  ASSERT_TRUE(judge(passport));
  EXPECT_EQ(judge(passport)->valid_until, WallTime(end + 10s));
  EXPECT_EQ(reason_of(judge(passport, kAddress, kTestTime + 10s)), Reason::kBindingExpired);
}

TEST_F(Judging, RefusesACaAsAHostAndAHostAsACa) {
  const Passport self =
      *make_passport({ca_.certificate()}, ca_.key(), node().signing_key(), kTestNetwork);
  EXPECT_EQ(reason_of(judge(self)), Reason::kWrongUse);
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const TestHost below(
      Issuer::make(HostKey(alice.key),
                   {.name = "alice", .validity = kTestValidity, .permitted = {}, .depth = {}})
          .value(),
      names_of("below", {kAddress}));
  const auto judged = judge(below.passport(node(), kTestNetwork, {alice.certificate}));
  EXPECT_FALSE(judged);
}

TEST_F(Judging, KeepsToTheDepthThatACaWasGiven) {
  const Issuer between =
      *ca_.make_ca(*HostKey::generate(KeyKind::kEcdsaP256),
                   {.name = "1", .validity = kTestValidity, .permitted = {}, .depth = {}});
  const Issuer too_deep =
      *between.make_ca(*HostKey::generate(KeyKind::kEcdsaP256),
                       {.name = "2", .validity = kTestValidity, .permitted = {}, .depth = {}});
  const TestHost alice(too_deep, names_of("alice", {kAddress}));
  EXPECT_EQ(reason_of(judge(alice.passport(node(), kTestNetwork,
                                           {too_deep.certificate(), between.certificate()}))),
            Reason::kWrongUse);
}

TEST_F(Judging, KeepsToNameConstraints) {
  const Issuer narrow = Issuer::make(*HostKey::generate(KeyKind::kEcdsaP256),
                                     {.name = "narrow",
                                      .validity = kTestValidity,
                                      .permitted = {*Prefix::parse("192.168.10.0/28")},
                                      .depth = 0})
                            .value();
  authorities_ = Authorities::make({narrow.certificate()}, {}).value();
  const TestHost inside(narrow, names_of("inside", {kAddress}));
  EXPECT_TRUE(judge(inside.passport(node())));
  const TestHost outside(narrow, names_of("outside", {"192.168.10.16"}));
  EXPECT_EQ(reason_of(judge(outside.passport(node()), "192.168.10.16")), Reason::kNotPermitted);
}

class Revocation : public Judging {
 protected:
  [[nodiscard]] RevocationList list(const Issuer& issuer, std::uint64_t number,
                                    const std::vector<Certificate>& revoked) const {
    std::vector<Revoked> entries;
    for (const Certificate& one : revoked)
      entries.push_back({one.serial(), kTestTime});
    return issuer.sign_list(entries, number, {kTestTime, kTestTime + 24h}).value();
  }
};

TEST_F(Revocation, RefusesWhomItsCaRevoked) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const TestHost bob(ca_, names_of("bob", {kAddress}));
  ASSERT_TRUE(authorities_.add(list(ca_, 1, {alice.certificate})).value());
  EXPECT_EQ(reason_of(judge(alice.passport(node()))), Reason::kRevoked);
  EXPECT_TRUE(judge(bob.passport(node())));
  // A list that is old still says what it said.
  EXPECT_EQ(reason_of(judge(alice.passport(node()), kAddress, kTestTime + 240h)), Reason::kRevoked);
}

TEST_F(Revocation, KeepsTheNewestListByNumber) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  ASSERT_TRUE(authorities_.add(list(ca_, 300, {alice.certificate})).value());
  EXPECT_FALSE(authorities_.add(list(ca_, 299, {})).value());
  EXPECT_FALSE(authorities_.add(list(ca_, 300, {})).value());
  EXPECT_FALSE(judge(alice.passport(node())));
  EXPECT_TRUE(authorities_.add(list(ca_, 301, {})).value());
  EXPECT_TRUE(judge(alice.passport(node())));
  EXPECT_EQ(authorities_.lists().size(), 1u);
}

TEST_F(Revocation, RefusesListsThatNoneOfItsCasSigned) {
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  const Issuer other = make_test_ca();  // of the same name
  EXPECT_FALSE(authorities_.add(list(other, 7, {alice.certificate})));
  EXPECT_TRUE(judge(alice.passport(node())));
}

TEST_F(Revocation, AppliesAListToItsOwnCaAloneAlthoughNamesAreTheSame) {
  const Issuer next = make_test_ca();
  const TestHost alice(ca_, names_of("alice", {kAddress}));
  authorities_ = Authorities::make({ca_.certificate(), next.certificate()}, {}).value();
  ASSERT_TRUE(authorities_.add(list(next, 7, {alice.certificate})).value());
  EXPECT_TRUE(judge(alice.passport(node())));
}

TEST_F(Revocation, ReachesTheCasBetween) {
  const Issuer between =
      *ca_.make_ca(*HostKey::generate(KeyKind::kEcdsaP256),
                   {.name = "between", .validity = kTestValidity, .permitted = {}, .depth = 0});
  const TestHost alice(between, names_of("alice", {kAddress}));
  const Passport passport = alice.passport(node(), kTestNetwork, {between.certificate()});
  EXPECT_FALSE(authorities_.add(list(between, 1, {alice.certificate})));  // not known
  authorities_ = Authorities::make({ca_.certificate()}, {between.certificate()}).value();
  ASSERT_TRUE(authorities_.add(list(between, 1, {alice.certificate})).value());
  EXPECT_EQ(reason_of(judge(passport)), Reason::kRevoked);
  ASSERT_TRUE(authorities_.add(list(between, 2, {})).value());
  EXPECT_TRUE(judge(passport));
  ASSERT_TRUE(authorities_.add(list(ca_, 1, {between.certificate()})).value());
  EXPECT_EQ(reason_of(judge(passport)), Reason::kRevoked);
}

}  // namespace
}  // namespace ipop::overlay::x509
