// The AEAD where intel-ipsec-mb does not exist or does not start: one packet after another with
// libsodium. ChaCha20-Poly1305 everywhere; AES-256-GCM where the processor has AES and carry-less
// multiply. Used by the thread that owns it.
#pragma once

#include "engine/aead/aead.hpp"

namespace ipop::engine {

class SodiumAead final : public AeadEngine {
 public:
  // Throws std::runtime_error if libsodium does not start.
  SodiumAead();

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override;
  void seal_burst(std::span<AeadJob> jobs) noexcept override;
  void open_burst(std::span<AeadJob> jobs) noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return "libsodium"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return suites_; }

 private:
  std::uint8_t suites_ = 0;
};

}  // namespace ipop::engine
