// Key bindings: whatever the signature's bytes and the date, only what the host's key signed for
// this node and network counts. And PEM files: any text is read or refused.
#include <string_view>

#include "tests/fuzz/member.hpp"
#include "tests/support/certificates.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::overlay::x509;

struct Host {
  explicit Host(KeyKind kind) : alice(make_test_ca(), names_of("alice", {"192.168.10.10"}), kind) {}
  TestHost alice;
  KeyBinding good = alice.passport(fuzz::member()).binding;
};

}  // namespace

// Kind of key (1), date's difference (4), then the signature, and what is XORed into a good one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Host all[] = {Host(KeyKind::kEcdsaP256), Host(KeyKind::kEcdsaP384),
                             Host(KeyKind::kEd25519), Host(KeyKind::kRsa2048)};
  ByteReader reader({data, size});
  const Host& host = all[reader.u8() % 4];
  const auto later = std::chrono::seconds(reader.le<std::uint32_t>());
  const auto counts = [&](const KeyBinding& binding) {
    return binding
        .judge(host.alice.certificate, fuzz::member().signing_key(), kTestNetwork, kTestTime)
        .has_value();
  };
  fuzz::require(counts(host.good));
  const ByteView rest = reader.rest();
  fuzz::require(!counts({host.good.not_after + later, {rest.begin(), rest.end()}}));
  KeyBinding damaged = host.good;
  damaged.not_after += later;
  bool same = later.count() == 0;
  for (std::size_t i = 0; i < rest.size() && i < damaged.signature.size(); ++i) {
    damaged.signature[i] ^= rest[i];
    same = same && rest[i] == 0;
  }
  fuzz::require(counts(damaged) == same);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(Certificate::parse_pem(text, 4));
  static_cast<void>(HostKey::parse_pem(text));
  static_cast<void>(Request::parse_pem(text));
  return 0;
}
