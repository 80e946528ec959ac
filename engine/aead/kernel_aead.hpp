// The AEAD by our own kernels, which work on several packets of a burst at once
// (engine/aead/avx512, engine/aead/vaes256 with chacha256, or that alone). What a family of them
// does not have, or does slower than a library, goes to that library. Used by the thread that owns
// it; allocates at construction alone.
#pragma once

#include <memory>

#include "engine/aead/aead.hpp"

namespace ipop::engine {

// One family: what it is called, and its entry points. Those for a suite that it has not are null.
struct Kernels {
  using Burst = void (*)(AeadJob* jobs, std::size_t count) noexcept;
  using Pays = bool (*)(std::span<const AeadJob> jobs) noexcept;

  std::string_view name;
  Burst seal_gcm = nullptr;
  Burst open_gcm = nullptr;
  Burst seal_chacha_poly = nullptr;
  Burst open_chacha_poly = nullptr;
  // Whether the last two are faster than a library for these.
  Pays pays_for_chacha = nullptr;
};

// Throw std::runtime_error if this build, the processor or its operating system lacks what they
// need.
[[nodiscard]] Kernels avx512_kernels();
[[nodiscard]] Kernels vaes256_kernels();
[[nodiscard]] Kernels avx2_kernels();  // ChaCha20-Poly1305 alone

class KernelAead final : public AeadEngine {
 public:
  // `library` takes the rest.
  KernelAead(const Kernels& kernels, std::unique_ptr<AeadEngine> library);

  void expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const override;
  void seal_burst(std::span<AeadJob> jobs) noexcept override;
  void open_burst(std::span<AeadJob> jobs) noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return kernels_.name; }
  [[nodiscard]] std::uint8_t suites() const noexcept override;

 private:
  template <bool kSeal>
  void run(std::span<AeadJob> jobs) noexcept;

  [[nodiscard]] bool has_gcm() const noexcept { return kernels_.seal_gcm != nullptr; }

  Kernels kernels_;
  std::unique_ptr<AeadEngine> library_;
};

}  // namespace ipop::engine
