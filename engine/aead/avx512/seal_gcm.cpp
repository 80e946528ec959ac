#include "engine/aead/avx512/aes_gcm.hpp"
#include "engine/aead/avx512/gcm_burst.hpp"

namespace ipop::engine::avx512 {

void seal_gcm(AeadJob* jobs, std::size_t count) noexcept {
  run_burst<true>(jobs, count);
}

}  // namespace ipop::engine::avx512
