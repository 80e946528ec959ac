#include "engine/aead/avx512/aes_gcm.hpp"
#include "engine/aead/avx512/gcm_burst.hpp"

namespace ipop::engine::avx512 {

void open_gcm(AeadJob* jobs, std::size_t count) noexcept {
  run_burst<false>(jobs, count);
}

}  // namespace ipop::engine::avx512
