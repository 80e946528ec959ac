// AES-256-GCM of a burst (SP 800-38D) with VAES, VPCLMULQDQ and AVX-512. Any mix of keys and
// lengths; jobs as AeadJob says, but nothing is ever written in front of `in`. Constant time: only
// lengths, counts and counters decide where it branches and what it reads. Key stream, powers and
// sums stay behind in registers and on the stack. Lcores; the caller has seen that the processor
// has what it takes, and that all keys were made by gcm::expand_gcm_key().
#pragma once

#include "engine/aead/aead.hpp"

namespace ipop::engine::avx512 {

void seal_gcm(AeadJob* jobs, std::size_t count) noexcept;
void open_gcm(AeadJob* jobs, std::size_t count) noexcept;

}  // namespace ipop::engine::avx512
