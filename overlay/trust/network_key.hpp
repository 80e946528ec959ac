// The network's key, from its name and secret, and the keys derived from it (design: who knows the
// string can join). Argon2id with libsodium's interactive limits: about 0.1 s and 64 MiB, once.
#pragma once

#include <array>
#include <string_view>

#include "base/ip.hpp"
#include "base/secret.hpp"
#include "overlay/directory/directory_key.hpp"
#include "overlay/trust/node_id.hpp"

namespace ipop::overlay {

class NetworkKey {
 public:
  // `secret` may be empty: then the name is the secret. Fails if memory is short.
  [[nodiscard]] static Result<NetworkKey> derive(std::string_view name, std::string_view secret);

  [[nodiscard]] const Secret<32>& handshake_psk() const noexcept { return psk_; }
  [[nodiscard]] const Secret<32>& handshake_mac() const noexcept { return mac_; }
  [[nodiscard]] const Secret<32>& record_seal() const noexcept { return seal_; }

  // Names the network in what certificates' keys sign. Not a secret among members; says nothing of
  // the name or the secret.
  [[nodiscard]] const std::array<std::uint8_t, 32>& network_id() const noexcept { return id_; }

  // Where things stand in the DHT: keyed BLAKE2b, 20 bytes, over a tag and the subject.
  [[nodiscard]] DirectoryKey address_key(const IpAddress& address) const;
  [[nodiscard]] DirectoryKey node_key(const NodeId& node) const;
  [[nodiscard]] DirectoryKey inbox_key(const NodeId& node) const;
  [[nodiscard]] DirectoryKey relay_key(std::uint8_t bucket) const;
  // Of the revocation list of the CA with that key, and of a part of one with that digest.
  [[nodiscard]] DirectoryKey revoked_key(const std::array<std::uint8_t, 32>& signer) const;
  [[nodiscard]] DirectoryKey revoked_part_key(const std::array<std::uint8_t, 16>& digest) const;
  // Of what is said on a link: nowhere in the DHT.
  [[nodiscard]] DirectoryKey lan_key() const;

 private:
  NetworkKey() = default;

  Secret<32> psk_;
  Secret<32> mac_;
  Secret<32> seal_;
  Secret<32> directory_;
  std::array<std::uint8_t, 32> id_{};
};

}  // namespace ipop::overlay
