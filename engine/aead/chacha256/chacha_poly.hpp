// ChaCha20-Poly1305 (RFC 8439) of a burst on a processor with AVX2 and BMI2: who calls has seen
// that it has them. Nonce, tag and jobs are those of AeadJob; the key is its 32 raw bytes at the
// start of AeadKey's storage, so that there is nothing to expand. Any mix of keys and lengths.
// Keeps no state and allocates nothing: any thread.
// Time does not depend on keys, texts and tags. What passes through the stack is not wiped.
#pragma once

#include <cstddef>

#include "engine/aead/aead.hpp"

namespace ipop::engine::chacha256 {

void seal_chacha_poly(AeadJob* jobs, std::size_t count) noexcept;
void open_chacha_poly(AeadJob* jobs, std::size_t count) noexcept;

}  // namespace ipop::engine::chacha256
