#include "overlay/trust/x509/passport.hpp"

#include <sodium.h>

#include <algorithm>

namespace ipop::overlay::x509 {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

Result<std::vector<std::uint8_t>> Passport::encode() const {
  if (chain.empty() || chain.size() > kMaxChain) return fail("a chain of 1 to 4 certificates");
  std::vector<std::uint8_t> encoded(kMaxPassport);
  ByteWriter writer(encoded);
  writer.u8(kVersion);
  writer.le(static_cast<std::uint64_t>(binding.not_after.time_since_epoch().count()));
  writer.le(static_cast<std::uint16_t>(std::min<std::size_t>(binding.signature.size(), 65535)));
  writer.bytes(binding.signature);
  writer.u8(static_cast<std::uint8_t>(chain.size()));
  for (const Certificate& certificate : chain) {
    writer.le(static_cast<std::uint16_t>(certificate.der().size()));
    writer.bytes(certificate.der());
  }
  if (!writer.ok()) {
    return fail("the certificates together have more than " + std::to_string(kMaxPassport) +
                " bytes");
  }
  encoded.resize(writer.size());
  return encoded;
}

Result<Passport> Passport::parse(ByteView encoded) {
  if (encoded.size() > kMaxPassport) return fail("longer than a passport may be");
  ByteReader reader(encoded);
  if (reader.u8() != kVersion) return fail("not a passport of a version that is known here");
  Passport passport;
  const auto not_after = static_cast<std::int64_t>(reader.le<std::uint64_t>());
  // Within what WallTime holds, so that nothing overflows later on.
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max());
  passport.binding.not_after = std::chrono::sys_seconds(std::chrono::seconds(not_after));
  if (not_after < 0 || passport.binding.not_after > kLast) {
    return fail("a key binding with an impossible date");
  }
  const ByteView signature = reader.bytes(reader.le<std::uint16_t>());
  if (signature.size() > kMaxSignature) return fail("a key binding that is too long");
  passport.binding.signature.assign(signature.begin(), signature.end());
  const unsigned count = reader.u8();
  if (!reader.ok() || count == 0 || count > kMaxChain) return fail("not a passport");
  for (unsigned i = 0; i < count; ++i) {
    const ByteView der = reader.bytes(reader.le<std::uint16_t>());
    if (!reader.ok()) return fail("a passport that ends too early");
    auto certificate = Certificate::parse_der(der);
    if (!certificate) return std::unexpected(certificate.error());
    passport.chain.push_back(std::move(*certificate));
  }
  if (reader.remaining() != 0) return fail("a passport with something behind it");
  return passport;
}

PassportDigest Passport::digest_of(ByteView encoded) {
  PassportDigest digest;
  crypto_generichash(digest.data(), digest.size(), encoded.data(), encoded.size(), nullptr, 0);
  return digest;
}

Result<Passport> make_passport(std::vector<Certificate> chain, const HostKey& key,
                               const SigningPublicKey& node, const NetworkId& network) {
  if (chain.empty()) return fail("no certificate");
  if (!key.is_of(chain.front())) return fail("the key is not that of the certificate");
  // Others have the CA's own from their configurations, and would not believe ours.
  if (chain.size() > 1 && chain.back().is_self_issued()) chain.pop_back();
  const auto not_after = std::chrono::floor<std::chrono::seconds>(chain.front().not_after());
  auto binding = KeyBinding::make(key, node, network, not_after);
  if (!binding) return std::unexpected(binding.error());
  return Passport{std::move(chain), std::move(*binding)};
}

}  // namespace ipop::overlay::x509
