// AES-256-GCM of a burst (SP 800-38D) with VAES, VPCLMULQDQ and AVX2. Any mix of keys and lengths;
// jobs as AeadJob says, but nothing is ever written in front of `in`. Constant time: only lengths,
// counts and counters decide where it branches and what it reads. Lcores; the caller has seen that
// the processor has what it takes, and that all keys were made by gcm::expand_gcm_key().
#pragma once

#include "engine/aead/aead.hpp"

namespace ipop::engine::vaes256 {

void seal_gcm(AeadJob* jobs, std::size_t count) noexcept;
void open_gcm(AeadJob* jobs, std::size_t count) noexcept;

}  // namespace ipop::engine::vaes256
