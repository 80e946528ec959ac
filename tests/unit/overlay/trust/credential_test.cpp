#include "overlay/trust/credential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

namespace ipop::overlay {
namespace {

using testing::HasSubstr;

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

const WallTime kClaimed = WallTime(std::chrono::seconds(1'700'000'000));

Credential small(const Identity& identity) {
  return Credential::make(identity, {prefix("192.168.10.10")}, {}, "alice", kClaimed);
}

Credential largest(const Identity& identity) {
  std::vector<Prefix> addresses;
  std::vector<Prefix> routes;
  for (int i = 0; i < 8; ++i)
    addresses.push_back(prefix("fd00::" + std::to_string(i + 1)));
  for (int i = 0; i < 16; ++i)
    routes.push_back(prefix("fd00:" + std::to_string(i) + "::/64"));
  return Credential::make(identity, addresses, routes, std::string(63, 'h'), kClaimed);
}

// Signs a body that make() would not, as a hostile member can.
std::vector<std::uint8_t> sign_body(const Identity& identity, std::vector<std::uint8_t> body) {
  std::string text = "ipop credential v1";
  text.append(body.begin(), body.end());
  const Signature signature =
      identity.sign({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  body.insert(body.end(), signature.begin(), signature.end());
  return body;
}

std::vector<std::uint8_t> body_of(const Credential& credential) {
  return {credential.encoded.begin(), credential.encoded.end() - sizeof(Signature)};
}

TEST(Credential, ParsesToWhatItWasMadeOf) {
  const Identity identity = Identity::generate();
  const Credential made = Credential::make(
      identity, {prefix("192.168.10.10"), prefix("fd00::10")},
      {prefix("10.0.0.0/8"), prefix("0.0.0.0/0"), prefix("::/0")}, "al-ice_1.example", kClaimed);
  const auto parsed = Credential::parse(made.encoded);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->signing_key, identity.signing_key());
  EXPECT_EQ(parsed->addresses, made.addresses);
  EXPECT_EQ(parsed->routes, made.routes);
  EXPECT_EQ(parsed->hostname, "al-ice_1.example");
  EXPECT_EQ(parsed->claimed_at, kClaimed);
  EXPECT_EQ(parsed->encoded, made.encoded);
  EXPECT_EQ(parsed->node_id(), identity.node_id());
  EXPECT_EQ(parsed->digest(), made.digest());
}

TEST(Credential, OfTheLargestKindFitsIn600Bytes) {
  const Identity identity = Identity::generate();
  const Credential made = largest(identity);
  EXPECT_LE(made.encoded.size(), 600u);
  EXPECT_TRUE(Credential::parse(made.encoded));
}

TEST(Credential, HasADigestThatChangesWithEveryField) {
  const Identity identity = Identity::generate();
  const Credential one = small(identity);
  EXPECT_EQ(one.digest(), small(identity).digest());
  EXPECT_NE(one.digest(), small(Identity::generate()).digest());
  EXPECT_NE(
      one.digest(),
      Credential::make(identity, one.addresses, {}, "alice", kClaimed + Duration(1)).digest());
}

TEST(Credential, NeverParsesWithOneBitDamaged) {
  for (const Credential& made : {small(Identity::generate()), largest(Identity::generate())}) {
    std::vector<std::uint8_t> bytes = made.encoded;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      EXPECT_FALSE(Credential::parse(bytes)) << "bit " << bit;
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    }
  }
}

TEST(Credential, NeverParsesCutOffOrWithMoreBehindIt) {
  std::vector<std::uint8_t> bytes = largest(Identity::generate()).encoded;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Credential::parse(ByteView(bytes).first(size))) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(Credential::parse(bytes));
  bytes.resize(5000);
  EXPECT_FALSE(Credential::parse(bytes));
}

struct BadFields {
  std::string_view description;
  std::vector<Prefix> addresses;
  std::vector<Prefix> routes;
  std::string hostname;
  std::string_view complaint;
};

std::vector<BadFields> bad_fields() {
  const std::vector<Prefix> one{prefix("10.0.0.1")};
  std::vector<Prefix> nine;
  std::vector<Prefix> seventeen;
  for (int i = 1; i <= 9; ++i)
    nine.push_back(prefix("10.0.0." + std::to_string(i)));
  for (int i = 0; i < 17; ++i)
    seventeen.push_back(prefix(std::to_string(i) + ".0.0.0/8"));
  return {
      {"no address", {}, {}, "a", "no address"},
      {"too many addresses", nine, {}, "a", "more than 8"},
      {"too many routes", one, seventeen, "a", "more than 16"},
      {"a subnet as address", {prefix("10.0.0.0/8")}, {}, "a", "not a whole address"},
      {"an address twice", {one[0], prefix("10.0.0.2"), one[0]}, {}, "a", "address twice"},
      {"a route twice", one, {prefix("10.0.0.0/8"), prefix("10.0.0.0/8")}, "a", "route twice"},
      {"a route with host bits", one, {prefix("10.0.0.1/8")}, "a", "beyond its length"},
      {"the unspecified address", {prefix("0.0.0.0")}, {}, "a", "cannot be"},
      {"a multicast address", {prefix("ff02::1")}, {}, "a", "cannot be"},
      {"the loopback address", {prefix("127.0.0.1")}, {}, "a", "cannot be"},
      {"a long hostname", one, {}, std::string(64, 'a'), "longer than 63"},
      {"a hostname with a space", one, {}, "a b", "other than"},
      {"a hostname with an escape", one, {}, "a\x1b[2J", "other than"},
  };
}

TEST(Credential, IsNotMadeWithFieldsOutOfBounds) {
  const Identity identity = Identity::generate();
  for (const BadFields& bad : bad_fields()) {
    try {
      (void)Credential::make(identity, bad.addresses, bad.routes, bad.hostname, kClaimed);
      ADD_FAILURE() << bad.description;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string(bad.complaint))) << bad.description;
    }
  }
  EXPECT_THROW((void)Credential::make(identity, {prefix("10.0.0.1")}, {}, "a",
                                      WallTime(std::chrono::seconds(-1))),
               std::runtime_error);
}

struct BadBody {
  std::string_view description;
  std::function<void(std::vector<std::uint8_t>&)> change;
  std::string_view complaint;
};

// Offsets in a small credential's body: version 0, key 1, time 33, hostname length 41 and bytes 42
// ("alice"), address count 47, family 48, address 49, route count 53.
TEST(Credential, OfARightfulSignerIsStillChecked) {
  using Body = std::vector<std::uint8_t>;
  const Identity identity = Identity::generate();
  const BadBody cases[] = {
      {"unknown version", [](Body& body) { body[0] = 2; }, "unknown version 2"},
      {"a time past the range", [](Body& body) { body[40] = 0x80; }, "before 1970"},
      {"a hostname byte", [](Body& body) { body[42] = '/'; }, "hostname"},
      {"no address",
       [](Body& body) {
         body[47] = 0;
         body.erase(body.begin() + 48, body.begin() + 53);
       },
       "no address"},
      {"an unknown family", [](Body& body) { body[48] = 5; }, "malformed"},
      {"more addresses than there are", [](Body& body) { body[47] = 200; }, "malformed"},
      {"IPv4 in IPv6 form",
       [](Body& body) {
         body[48] = 6;
         body.insert(body.begin() + 49, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
       },
       "malformed"},
      {"a route length past the family's",
       [](Body& body) {
         body[53] = 1;
         body.insert(body.end(), {33, 4, 10, 0, 0, 0});
       },
       "beyond its length"},
      {"bytes left over", [](Body& body) { body.push_back(0); }, "malformed"},
  };
  ASSERT_TRUE(Credential::parse(sign_body(identity, body_of(small(identity)))));
  for (const BadBody& bad : cases) {
    Body body = body_of(small(identity));
    bad.change(body);
    const auto parsed = Credential::parse(sign_body(identity, body));
    ASSERT_FALSE(parsed) << bad.description;
    EXPECT_THAT(parsed.error().message, HasSubstr(std::string(bad.complaint))) << bad.description;
  }
}

}  // namespace
}  // namespace ipop::overlay
