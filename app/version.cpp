#include "app/version.hpp"

namespace ipop::app {

const char* version() noexcept {
  return IPOP_VERSION;
}

}  // namespace ipop::app
