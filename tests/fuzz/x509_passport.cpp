// Certificate chains as peers show them: any bytes parse or are refused, what parses is written
// back as the same bytes, and one that was damaged never lets anybody in.
#include <algorithm>

#include "tests/fuzz/member.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::overlay::x509;

struct Parties {
  Issuer ca = make_test_ca();
  Issuer between = ca.make_ca(*HostKey::generate(KeyKind::kEd25519),
                              {.name = "between", .validity = kTestValidity, .permitted = {}})
                       .value();
  TestHost alice{between, names_of("alice", {"192.168.10.10"}, {"web"}), KeyKind::kEd25519};
  Authorities authorities = Authorities::make({ca.certificate()}, {}).value();
  std::vector<std::uint8_t> good =
      *alice.passport(fuzz::member(), kTestNetwork, {between.certificate()}).encode();
};

bool lets_in(const Parties& parties, ByteView encoded) {
  const auto parsed = Passport::parse(encoded);
  if (!parsed) return false;
  const auto written = parsed->encode();
  fuzz::require(written && std::ranges::equal(*written, encoded));
  for (const Certificate& one : parsed->chain) {
    static_cast<void>(one.groups());
    static_cast<void>(one.dns_names());
    static_cast<void>(one.subject());
    static_cast<void>(one.serial());
  }
  const auto judged = parties.authorities.judge(*parsed, fuzz::member().signing_key(),
                                                hosts({"192.168.10.10"}), kTestNetwork, kTestTime);
  fuzz::require(judged || !judged.error().detail.empty());
  return judged.has_value();
}

}  // namespace

// As it is, and as damage to a passport that is good: place (2), what is XORed (1), repeated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Parties parties;
  fuzz::require(lets_in(parties, parties.good));
  fuzz::require(!lets_in(parties, {data, size}) ||
                std::ranges::equal(ByteView(data, size), parties.good));
  std::vector<std::uint8_t> damaged = parties.good;
  for (ByteReader reader({data, size}); reader.remaining() >= 3;) {
    const std::size_t at = reader.le<std::uint16_t>() % damaged.size();
    damaged[at] ^= reader.u8();
  }
  fuzz::require(lets_in(parties, damaged) == (damaged == parties.good));
  return 0;
}
