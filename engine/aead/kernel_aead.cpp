#include "engine/aead/kernel_aead.hpp"

#include <utility>

#include "engine/aead/gcm/gcm_key.hpp"
#include "engine/aead/nonce.hpp"

namespace ipop::engine {

KernelAead::KernelAead(const Kernels& kernels, std::unique_ptr<AeadEngine> library)
    : kernels_(kernels), library_(std::move(library)) {}

std::uint8_t KernelAead::suites() const noexcept {
  return library_->suites() | (has_gcm() ? suite_bit(AeadSuite::kAes256Gcm) : std::uint8_t{0});
}

// The key of ChaCha20-Poly1305 is the raw one, for kernels and libraries alike.
void KernelAead::expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const {
  if (suite == AeadSuite::kAes256Gcm && has_gcm()) {
    key.suite_ = suite;
    gcm::expand_gcm_key(raw.data(), *reinterpret_cast<gcm::GcmKey*>(key.storage_));
  } else {
    library_->expand(suite, raw, key);
  }
}

// By runs of one suite: nearly always the whole burst.
template <bool kSeal>
void KernelAead::run(std::span<AeadJob> jobs) noexcept {
  while (!jobs.empty()) {
    const AeadSuite suite = jobs.front().key->suite_;
    std::size_t count = 1;
    while (count < jobs.size() && jobs[count].key->suite_ == suite)
      ++count;
    const std::span<AeadJob> alike = jobs.first(count);
    const bool gcm = suite == AeadSuite::kAes256Gcm;
    if (gcm && has_gcm()) {
      (kSeal ? kernels_.seal_gcm : kernels_.open_gcm)(alike.data(), count);
    } else if (!gcm && kernels_.pays_for_chacha != nullptr && kernels_.pays_for_chacha(alike)) {
      (kSeal ? kernels_.seal_chacha_poly : kernels_.open_chacha_poly)(alike.data(), count);
    } else if constexpr (kSeal) {
      library_->seal_burst(alike);
    } else {
      library_->open_burst(alike);
    }
    jobs = jobs.subspan(count);
  }
}

void KernelAead::seal_burst(std::span<AeadJob> jobs) noexcept {
  run<true>(jobs);
}

void KernelAead::open_burst(std::span<AeadJob> jobs) noexcept {
  run<false>(jobs);
}

}  // namespace ipop::engine
