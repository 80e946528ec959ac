// Whether this processor, and its system, have what the kernels are compiled for. Any
// thread; compiled without those features, so it may be called anywhere.
#pragma once

#include <cpuid.h>

namespace ipop::engine::gcm {

// What both families need besides wide registers. clang 16 knows no name for these.
[[nodiscard]] inline bool processor_has_wide_aes() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kAes = 1u << 25;
  constexpr unsigned kPclmul = 1u << 1;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kAes) == 0 || (c & kPclmul) == 0) return false;
  constexpr unsigned kVaes = 1u << 9;
  constexpr unsigned kVpclmul = 1u << 10;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & kVaes) != 0 && (c & kVpclmul) != 0;
}

// __builtin_cpu_supports() of registers includes that the system saves them.
[[nodiscard]] inline bool processor_has_vaes256_gcm() noexcept {
  return __builtin_cpu_supports("avx2") && processor_has_wide_aes();
}

[[nodiscard]] inline bool processor_has_avx512_gcm() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("bmi2") && processor_has_wide_aes();
}

// What ChaCha20-Poly1305 for 256 bits is compiled for; it has nothing to do with AES.
[[nodiscard]] inline bool processor_has_chacha256() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

}  // namespace ipop::engine::gcm
