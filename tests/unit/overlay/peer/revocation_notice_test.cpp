#include "overlay/peer/revocation_notice.hpp"

#include <gtest/gtest.h>

#include <map>

#include "overlay/directory/sealed_box.hpp"
#include "overlay/directory/value_gate.hpp"
#include "tests/support/certificates.hpp"

namespace ipop::overlay {
namespace {

using x509::KeyKind;

const NetworkKey& network(const char* name = "a network") {
  static std::map<std::string, NetworkKey> keys;
  const auto found = keys.find(name);
  return found != keys.end() ? found->second
                             : keys.emplace(name, *NetworkKey::derive(name, "")).first->second;
}

constexpr x509::KeyId kSigner{1, 2, 3};

x509::RevocationList list_with(unsigned revocations) {
  static const x509::Issuer ca = x509::make_test_ca("CA", KeyKind::kEd25519);
  std::vector<x509::Revoked> revoked;
  for (unsigned i = 0; i < revocations; ++i)
    revoked.push_back({"0102030405060708090A0B0C0D0E" + std::to_string(1000 + i), x509::kTestTime});
  return ca.sign_list(revoked, 7, x509::kTestValidity).value();
}

TEST(RevocationNotice, CarriesAShortListWhole) {
  const auto list = list_with(3);
  const auto notice = RevocationNotice::of(list, x509::kTestTime);
  const auto opened =
      RevocationNotice::open(notice.seal(network(), kSigner), network(), kSigner).value();
  EXPECT_TRUE(opened.is_of_same_list(notice));
  EXPECT_EQ(opened.list, list.der());
  EXPECT_EQ(opened.age, list.age());
  EXPECT_EQ(opened.stored, x509::kTestTime);
}

TEST(RevocationNotice, NamesThePartsOfALongOne) {
  const auto list = list_with(1400);
  const auto notice = RevocationNotice::of(list, x509::kTestTime);
  const DirectoryValue value = notice.seal(network(), kSigner);
  EXPECT_LE(value.size(), ValueGate::kMaxValue);
  const auto opened = RevocationNotice::open(value, network(), kSigner).value();
  EXPECT_TRUE(opened.is_of_same_list(notice));
  std::vector<std::uint8_t> der;
  for (std::size_t i = 0; i < opened.parts.size(); ++i) {
    const std::size_t begin = i * RevocationNotice::kPart;
    const DirectoryValue stored =
        seal_part(ByteView(list.der())
                      .subspan(begin)
                      .first(std::min(RevocationNotice::kPart, list.der().size() - begin)),
                  network());
    EXPECT_LE(stored.size(), ValueGate::kMaxValue);
    const auto part = open_part(stored, network(), opened.parts[i]).value();
    der.insert(der.end(), part.begin(), part.end());
  }
  EXPECT_EQ(der, list.der());
}

TEST(RevocationNotice, OpensInItsNetworkAndPlaceAlone) {
  const auto value = RevocationNotice::of(list_with(1), x509::kTestTime).seal(network(), kSigner);
  EXPECT_FALSE(RevocationNotice::open(value, network("another"), kSigner));
  EXPECT_FALSE(RevocationNotice::open(value, network(), {9}));
  auto damaged = value;
  damaged.back() ^= 1;
  EXPECT_FALSE(RevocationNotice::open(damaged, network(), kSigner));
  for (std::size_t size = 0; size < value.size(); ++size)
    EXPECT_FALSE(RevocationNotice::open(ByteView(value).first(size), network(), kSigner));
}

// What a member could seal: time (8), number (20), thisUpdate (8), size (2), then the rest.
DirectoryValue sealed(std::uint64_t stored, std::uint16_t size, std::size_t rest) {
  std::vector<std::uint8_t> plain(38 + rest);
  store_le(plain.data(), stored);
  store_le(plain.data() + 36, size);
  const DirectoryKey at = network().revoked_key(kSigner);
  return seal_box(network().record_seal(), "ipop revoked v1", at, plain);
}

TEST(RevocationNotice, RefusesSizesThatDoNotFit) {
  const auto opens = [](std::uint64_t stored, std::uint16_t size, std::size_t rest) {
    return RevocationNotice::open(sealed(stored, size, rest), network(), kSigner).has_value();
  };
  EXPECT_TRUE(opens(0, 1, 1));
  EXPECT_FALSE(opens(0, 0, 0));
  EXPECT_FALSE(opens(0, 1, 2));
  EXPECT_FALSE(opens(0, 2, 1));
  EXPECT_TRUE(opens(0, 1000, 1000));
  EXPECT_TRUE(opens(0, 1001, 2 * 16));
  EXPECT_FALSE(opens(0, 1001, 1 * 16));
  EXPECT_FALSE(opens(0, 1001, 3 * 16));
  EXPECT_TRUE(opens(0, 60'000, 60 * 16));
  EXPECT_FALSE(opens(0, 60'001, 61 * 16));
  EXPECT_FALSE(opens(~std::uint64_t{0}, 1, 1));
  EXPECT_FALSE(opens(std::uint64_t{1} << 40, 1, 1)) << "no time that the clock can tell";
}

TEST(RevocationNotice, OpensNoOtherPartThanTheOneThatWasAskedFor) {
  const std::vector<std::uint8_t> part(10, 1);
  const std::vector<std::uint8_t> other(10, 2);
  EXPECT_TRUE(open_part(seal_part(part, network()), network(), part_digest(part)));
  EXPECT_FALSE(open_part(seal_part(other, network()), network(), part_digest(part)));
  // Sealed for the place of the first by a member.
  const DirectoryKey at = network().revoked_part_key(part_digest(part));
  EXPECT_FALSE(open_part(seal_box(network().record_seal(), "ipop revoked part v1", at, other),
                         network(), part_digest(part)));
}

}  // namespace
}  // namespace ipop::overlay
