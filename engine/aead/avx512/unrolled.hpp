// Loops that leave no loop behind: an array that is indexed by a constant alone stays in registers.
// Only for a source that is compiled for AVX-512; everything here has internal linkage.
#pragma once

namespace ipop::engine::avx512 {
namespace {

// A number that is known when it compiles.
template <int kValue>
struct Constant {
  constexpr operator int() const { return kValue; }
};

// body(Constant<0>{}), body(Constant<1>{}), .. kCount times.
template <int kCount, int kFirst = 0, class Body>
[[gnu::always_inline]] inline void unrolled(const Body& body) {
  if constexpr (kFirst < kCount) {
    body(Constant<kFirst>{});
    unrolled<kCount, kFirst + 1>(body);
  }
}

}  // namespace
}  // namespace ipop::engine::avx512
