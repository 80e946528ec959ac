// What the check of constant time (tests/constant_time) asks of kernels: it compiles them for
// clang's MemorySanitizer with keys and texts marked as not initialised, and so hears of every
// branch and every address that depends on one. Nothing of this is in the programs.
#pragma once

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define IPOP_SECRETS_ARE_MARKED
#endif
#endif

namespace ipop::engine {

// From here on the value may decide where it branches: whoever sees the packet may know it.
template <typename Value>
[[gnu::always_inline]] inline void make_public([[maybe_unused]] Value& value) {
#ifdef IPOP_SECRETS_ARE_MARKED
  __msan_unpoison(&value, sizeof value);
#endif
}

}  // namespace ipop::engine
