// The node's own key: one Ed25519 seed, on guarded pages, from which the signing key and the X25519
// key of the handshake come. Overlay thread and `ipop init`.
#pragma once

#include <filesystem>

#include "base/secret.hpp"
#include "overlay/trust/node_id.hpp"

namespace ipop::overlay {

class Identity {
 public:
  [[nodiscard]] static Identity generate();
  // The file holds the base64 seed on one line. Fails if it is missing, readable by others than its
  // owner, or not 32 bytes.
  [[nodiscard]] static Result<Identity> load(const std::filesystem::path& file);
  // Makes a new file, mode 0600, complete or not at all; refuses to overwrite.
  [[nodiscard]] Result<void> save(const std::filesystem::path& file) const;

  [[nodiscard]] const NodeId& node_id() const noexcept { return node_id_; }
  [[nodiscard]] const SigningPublicKey& signing_key() const noexcept { return signing_public_; }
  [[nodiscard]] const ExchangePublicKey& exchange_key() const noexcept { return exchange_public_; }
  [[nodiscard]] std::span<const std::uint8_t, 32> exchange_secret() const noexcept {
    return exchange_secret_.bytes();
  }
  [[nodiscard]] Signature sign(ByteView message) const;

 private:
  explicit Identity(std::span<const std::uint8_t, 32> seed);

  GuardedSecret<32> seed_;
  GuardedSecret<64> signing_secret_;
  GuardedSecret<32> exchange_secret_;
  SigningPublicKey signing_public_{};
  ExchangePublicKey exchange_public_{};
  NodeId node_id_;
};

[[nodiscard]] bool verify(const SigningPublicKey& key, ByteView message,
                          const Signature& signature) noexcept;
// The X25519 form of an Ed25519 key; fails for bytes that are not a point of full order.
[[nodiscard]] Result<ExchangePublicKey> exchange_key_of(const SigningPublicKey& key);

}  // namespace ipop::overlay
