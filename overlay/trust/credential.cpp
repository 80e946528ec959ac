#include "overlay/trust/credential.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

#include "overlay/trust/address_codec.hpp"

// The encoding, version 1, little-endian:
//   version (1) ‖ signing key (32) ‖ claimed at, ns since 1970 (8)
//   ‖ hostname: length (1), bytes ‖ addresses: count (1), each: family (1), 4 or 16 bytes
//   ‖ routes: count (1), each: prefix length (1), family (1), 4 or 16 bytes ‖ signature (64)
// The signature is over a label and all that stands before it. Every value has exactly one
// encoding, so bytes that parse are the bytes that encoding gives.

namespace ipop::overlay {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kLabel = "ipop credential v1";
constexpr std::size_t kMaxEncoded = 600;
constexpr std::size_t kMaxAddresses = 8;
constexpr std::size_t kMaxRoutes = 16;
constexpr std::size_t kMaxHostname = 63;
constexpr std::size_t kSignature = sizeof(Signature);

bool is_hostname_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool has_duplicate(std::vector<Prefix> prefixes) {
  std::ranges::sort(prefixes);
  return std::ranges::adjacent_find(prefixes) != prefixes.end();
}

// The limits that both making and parsing keep.
Result<void> check(const Credential& credential) {
  const auto& [key, addresses, routes, hostname, claimed_at, encoded] = credential;
  if (addresses.empty()) return fail("credential names no address");
  if (addresses.size() > kMaxAddresses) return fail("credential names more than 8 addresses");
  if (routes.size() > kMaxRoutes) return fail("credential names more than 16 routes");
  if (hostname.size() > kMaxHostname) return fail("hostname is longer than 63 bytes");
  if (!std::ranges::all_of(hostname, is_hostname_byte)) {
    return fail("hostname has bytes other than A-Z, a-z, 0-9, '-', '_' and '.'");
  }
  for (const Prefix& address : addresses) {
    if (!address.is_host()) return fail(address.to_string() + " is not a whole address");
    const IpAddress& ip = address.address;
    if (ip.is_unspecified() || ip.is_multicast() || ip.is_loopback()) {
      return fail(ip.to_string() + " cannot be a node's address");
    }
  }
  for (const Prefix& route : routes) {
    if (route.length > route.address.bits() || route != route.masked()) {
      return fail("route " + route.to_string() + " has bits set beyond its length");
    }
  }
  if (has_duplicate(addresses)) return fail("credential names an address twice");
  if (has_duplicate(routes)) return fail("credential names a route twice");
  if (claimed_at < WallTime{}) return fail("credential's addresses were claimed before 1970");
  return {};
}

std::vector<std::uint8_t> signed_text(ByteView body) {
  std::vector<std::uint8_t> text(kLabel.size() + body.size());
  ByteWriter writer(text);
  writer.bytes({reinterpret_cast<const std::uint8_t*>(kLabel.data()), kLabel.size()});
  writer.bytes(body);
  return text;
}

void write_body(ByteWriter& writer, const Credential& credential) {
  writer.u8(kVersion);
  writer.bytes(credential.signing_key);
  writer.le(static_cast<std::uint64_t>(credential.claimed_at.time_since_epoch().count()));
  writer.u8(static_cast<std::uint8_t>(credential.hostname.size()));
  writer.bytes({reinterpret_cast<const std::uint8_t*>(credential.hostname.data()),
                credential.hostname.size()});
  writer.u8(static_cast<std::uint8_t>(credential.addresses.size()));
  for (const Prefix& address : credential.addresses)
    write_address(writer, address.address);
  writer.u8(static_cast<std::uint8_t>(credential.routes.size()));
  for (const Prefix& route : credential.routes) {
    writer.u8(route.length);
    write_address(writer, route.address);
  }
}

void read_body(ByteReader& reader, Credential& credential) {
  reader.copy(credential.signing_key);
  // A time past the signed range becomes one before 1970, which check() refuses.
  credential.claimed_at = WallTime(Duration(static_cast<std::int64_t>(reader.le<std::uint64_t>())));
  const ByteView hostname = reader.bytes(reader.u8());
  credential.hostname.assign(hostname.begin(), hostname.end());
  const unsigned addresses = reader.u8();
  for (unsigned i = 0; i < addresses && reader.ok(); ++i) {
    credential.addresses.push_back(Prefix::host(read_address(reader)));
  }
  const unsigned routes = reader.u8();
  for (unsigned i = 0; i < routes && reader.ok(); ++i) {
    const std::uint8_t length = reader.u8();
    credential.routes.push_back({read_address(reader), length});
  }
}

}  // namespace

Credential Credential::make(const Identity& identity, std::vector<Prefix> addresses,
                            std::vector<Prefix> routes, std::string hostname, WallTime claimed_at) {
  Credential credential{.signing_key = identity.signing_key(),
                        .addresses = std::move(addresses),
                        .routes = std::move(routes),
                        .hostname = std::move(hostname),
                        .claimed_at = claimed_at,
                        .encoded = {}};
  if (const Result<void> checked = check(credential); !checked) {
    throw std::runtime_error("cannot make the node's credential: " + checked.error().message);
  }
  credential.encoded.resize(kMaxEncoded);
  ByteWriter writer(credential.encoded);
  write_body(writer, credential);
  writer.bytes(identity.sign(signed_text(writer.written())));
  credential.encoded.resize(writer.size());
  return credential;
}

Result<Credential> Credential::parse(ByteView encoded) {
  if (encoded.size() > kMaxEncoded) return fail("credential is longer than 600 bytes");
  if (encoded.size() <= kSignature) return fail("credential is cut off");
  if (encoded[0] != kVersion) {
    return fail("credential of unknown version " + std::to_string(encoded[0]));
  }
  const ByteView body = encoded.first(encoded.size() - kSignature);
  ByteReader reader(body.subspan(1));
  Credential credential;
  read_body(reader, credential);
  if (!reader.ok() || reader.remaining() != 0) return fail("credential is malformed");
  if (const Result<void> checked = check(credential); !checked) {
    return std::unexpected(checked.error());
  }
  Signature signature;
  std::ranges::copy(encoded.last(kSignature), signature.begin());
  if (!verify(credential.signing_key, signed_text(body), signature)) {
    return fail("credential has a wrong signature");
  }
  credential.encoded.assign(encoded.begin(), encoded.end());
  return credential;
}

CredentialDigest Credential::digest() const noexcept {
  CredentialDigest digest;
  crypto_generichash(digest.data(), digest.size(), encoded.data(), encoded.size(), nullptr, 0);
  return digest;
}

}  // namespace ipop::overlay
