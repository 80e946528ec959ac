// The AEAD by our own kernels, which work on several packets of a burst at once
// (engine/aead/avx512). A few packets of ChaCha20-Poly1305 are cheaper with intel-ipsec-mb, so they
// go there. Used by the thread that owns it; allocates at construction alone.
#pragma once

#include <memory>

#include "engine/aead/aead.hpp"

namespace ipop::engine {

class Avx512Aead final : public AeadEngine {
 public:
  // `few`: the engine for bursts that are too short. Throws std::runtime_error if this processor or
  // its operating system lacks what the kernels need.
  explicit Avx512Aead(std::unique_ptr<AeadEngine> few);

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override;
  void seal_burst(std::span<AeadJob> jobs) noexcept override;
  void open_burst(std::span<AeadJob> jobs) noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return "avx512"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override;

 private:
  template <class OfSuite>
  static void for_each_suite(std::span<AeadJob> jobs, OfSuite of_suite) noexcept;

  std::unique_ptr<AeadEngine> few_;
};

}  // namespace ipop::engine
