// Revocation lists as peers and the directory bring them: any bytes parse or are refused, what
// parses is written back as the same bytes, and one that was damaged never counts.
#include <algorithm>
#include <string_view>

#include "tests/fuzz/member.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::overlay::x509;

struct Parties {
  Issuer ca = make_test_ca("CA", KeyKind::kEd25519);
  TestHost alice{ca, names_of("alice", {"192.168.10.10"}), KeyKind::kEd25519};
  std::vector<std::uint8_t> good =
      ca.sign_list({{alice.certificate.serial(), kTestTime}}, 77, kTestValidity)->der();
};

bool counts(const Parties& parties, ByteView der) {
  const auto list = RevocationList::parse_der(der);
  if (!list) return false;
  fuzz::require(std::ranges::equal(list->der(), der));
  static_cast<void>(list->issuer());
  static_cast<void>(list->revokes(parties.alice.certificate));
  fuzz::require(list->size() <= der.size());
  Authorities authorities = Authorities::make({parties.ca.certificate()}, {}).value();
  return authorities.add(*list).has_value();
}

}  // namespace

// As it is, as PEM, and as damage to a list that is good: place (2), what is XORed (1), repeated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Parties parties;
  fuzz::require(counts(parties, parties.good));
  static_cast<void>(counts(parties, {data, size}));
  static_cast<void>(
      RevocationList::parse_pem(std::string_view(reinterpret_cast<const char*>(data), size), 2));
  std::vector<std::uint8_t> damaged = parties.good;
  for (ByteReader reader({data, size}); reader.remaining() >= 3;) {
    const std::size_t at = reader.le<std::uint16_t>() % damaged.size();
    damaged[at] ^= reader.u8();
  }
  fuzz::require(counts(parties, damaged) == (damaged == parties.good));
  return 0;
}
