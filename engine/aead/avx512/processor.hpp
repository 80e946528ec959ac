// Whether this processor, and its system, have what the AES-256-GCM kernel is compiled for. Any
// thread; compiled without those features, so it may be called anywhere.
#pragma once

#include <cpuid.h>

namespace ipop::engine::avx512 {

[[nodiscard]] inline bool processor_has_gcm() noexcept {
  // The first five include that the system saves the registers.
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("bmi2")) {
    return false;
  }
  // clang 16 knows no name for the others.
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

}  // namespace ipop::engine::avx512
