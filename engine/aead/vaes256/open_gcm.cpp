#include "engine/aead/vaes256/aes_gcm.hpp"
#include "engine/aead/vaes256/gcm_burst.hpp"

namespace ipop::engine::vaes256 {

void open_gcm(AeadJob* jobs, std::size_t count) noexcept {
  run_burst<false>(jobs, count);
}

}  // namespace ipop::engine::vaes256
