#include "overlay/trust/network_key.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <string>

namespace ipop::overlay {
namespace {

constexpr std::string_view kSaltLabel = "ipop network salt v1";
constexpr char kContext[crypto_kdf_CONTEXTBYTES + 1] = "ipopnet1";
static_assert(crypto_kdf_KEYBYTES == 32);

// The numbers are part of the protocol: never used again for something else.
enum class SubKey : std::uint64_t {
  kHandshakePsk = 1,
  kHandshakeMac,
  kRecordSeal,
  kDirectory,
  kNetworkId
};

Secret<32> sub_key(const Secret<32>& master, SubKey which) {
  Secret<32> key;
  crypto_kdf_derive_from_key(key.data(), 32, static_cast<std::uint64_t>(which), kContext,
                             master.data());
  return key;
}

const std::uint8_t* as_bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Argon2id wants a salt of fixed size, and two networks with one secret must not share keys.
std::array<std::uint8_t, crypto_pwhash_SALTBYTES> salt_of(std::string_view name) {
  std::array<std::uint8_t, crypto_pwhash_SALTBYTES> salt{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, salt.size());
  crypto_generichash_update(&state, as_bytes(kSaltLabel), kSaltLabel.size());
  crypto_generichash_update(&state, as_bytes(name), name.size());
  crypto_generichash_final(&state, salt.data(), salt.size());
  return salt;
}

DirectoryKey place(const Secret<32>& key, std::string_view tag, ByteView subject) {
  DirectoryKey at;
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.data(), 32, at.bytes.size());
  crypto_generichash_update(&state, as_bytes(tag), tag.size());
  crypto_generichash_update(&state, subject.data(), subject.size());
  crypto_generichash_final(&state, at.bytes.data(), at.bytes.size());
  return at;
}

}  // namespace

Result<NetworkKey> NetworkKey::derive(std::string_view name, std::string_view secret) {
  if (sodium_init() < 0) return fail("libsodium cannot start: no random numbers");
  if (name.empty()) return fail("the network has no name");
  const std::string_view password = secret.empty() ? name : secret;
  const auto salt = salt_of(name);
  Secret<32> master;
  if (crypto_pwhash(master.data(), 32, password.data(), password.size(), salt.data(),
                    crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail("deriving the network key needs " +
                std::to_string(crypto_pwhash_MEMLIMIT_INTERACTIVE >> 20) +
                " MiB of memory, which are not to be had");
  }
  NetworkKey key;
  key.psk_ = sub_key(master, SubKey::kHandshakePsk);
  key.mac_ = sub_key(master, SubKey::kHandshakeMac);
  key.seal_ = sub_key(master, SubKey::kRecordSeal);
  key.directory_ = sub_key(master, SubKey::kDirectory);
  const Secret<32> id = sub_key(master, SubKey::kNetworkId);
  std::ranges::copy(id.bytes(), key.id_.begin());
  return key;
}

DirectoryKey NetworkKey::address_key(const IpAddress& address) const {
  return place(directory_, "addr", address.bytes());
}

DirectoryKey NetworkKey::node_key(const NodeId& node) const {
  return place(directory_, "node", node.bytes);
}

DirectoryKey NetworkKey::inbox_key(const NodeId& node) const {
  return place(directory_, "inbox", node.bytes);
}

DirectoryKey NetworkKey::relay_key(std::uint8_t bucket) const {
  return place(directory_, "relay", {&bucket, 1});
}

DirectoryKey NetworkKey::revoked_key(const std::array<std::uint8_t, 32>& signer) const {
  return place(directory_, "revoked", signer);
}

DirectoryKey NetworkKey::revoked_part_key(const std::array<std::uint8_t, 16>& digest) const {
  return place(directory_, "revoked part", digest);
}

DirectoryKey NetworkKey::lan_key() const {
  return place(directory_, "lan", {});
}

}  // namespace ipop::overlay
