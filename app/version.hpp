// The version of this build, the same for ipopd and ipop.
#pragma once

namespace ipop::app {

[[nodiscard]] const char* version() noexcept;  // "0.1.0"

}  // namespace ipop::app
