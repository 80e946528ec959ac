#include <algorithm>
#include <stdexcept>

#include "engine/aead/avx512/aes_gcm.hpp"
#include "engine/aead/avx512/chacha_poly.hpp"
#include "engine/aead/chacha256/chacha_poly.hpp"
#include "engine/aead/gcm/processor.hpp"
#include "engine/aead/kernel_aead.hpp"
#include "engine/aead/vaes256/aes_gcm.hpp"

namespace ipop::engine {
namespace {

// Where the kernel is at least as fast as intel-ipsec-mb (aead_bench, Zen 4): its lanes are
// packets.
bool pays_for_chacha(std::span<const AeadJob> jobs) noexcept {
  constexpr auto kIsShort = [](const AeadJob& job) { return job.length <= 512; };
  return jobs.size() >= 8 || (jobs.size() >= 4 && std::ranges::all_of(jobs, kIsShort));
}

// The same on Zen 3, where its tags are made of four packets side by side: few packets, and few
// very long ones, leave it waiting for one of them.
bool pays_for_chacha256(std::span<const AeadJob> jobs) noexcept {
  if (jobs.size() < 2) return false;
  if (jobs.size() >= 32) return true;
  const std::uint32_t most = jobs.size() >= 4 ? 2048 : 256;
  return std::ranges::all_of(jobs, [most](const AeadJob& job) { return job.length <= most; });
}

// Beside a library that has ChaCha20 for 512 bits, as on Intel's servers before vector AES: that
// was not measured there, so only what costs the library more than twice as much elsewhere.
bool pays_beside_avx512(std::span<const AeadJob> jobs) noexcept {
  const auto is_short = [](const AeadJob& job) { return job.length <= 128; };
  return jobs.size() >= 4 && std::ranges::all_of(jobs, is_short);
}

void add_chacha256(Kernels& kernels) {
  kernels.seal_chacha_poly = chacha256::seal_chacha_poly;
  kernels.open_chacha_poly = chacha256::open_chacha_poly;
  kernels.pays_for_chacha =
      __builtin_cpu_supports("avx512f") ? pays_beside_avx512 : pays_for_chacha256;
}

}  // namespace

Kernels avx512_kernels() {
  if (!gcm::processor_has_avx512_gcm() || !__builtin_cpu_supports("avx512ifma")) {
    throw std::runtime_error("this processor lacks AVX-512 with VAES, VPCLMULQDQ or IFMA");
  }
  return {.name = "avx512",
          .seal_gcm = avx512::seal_gcm,
          .open_gcm = avx512::open_gcm,
          .seal_chacha_poly = avx512::seal_chacha_poly,
          .open_chacha_poly = avx512::open_chacha_poly,
          .pays_for_chacha = pays_for_chacha};
}

Kernels vaes256_kernels() {
  if (!gcm::processor_has_vaes256_gcm()) {
    throw std::runtime_error("this processor lacks AVX2, VAES or VPCLMULQDQ");
  }
  Kernels kernels{.name = "vaes256", .seal_gcm = vaes256::seal_gcm, .open_gcm = vaes256::open_gcm};
  if (gcm::processor_has_chacha256()) add_chacha256(kernels);
  return kernels;
}

Kernels avx2_kernels() {
  if (!gcm::processor_has_chacha256()) {
    throw std::runtime_error("this processor lacks AVX2 or BMI2");
  }
  Kernels kernels{.name = "avx2"};
  add_chacha256(kernels);
  return kernels;
}

}  // namespace ipop::engine
