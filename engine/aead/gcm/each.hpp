// Loops that leave no loop behind: an array that is indexed by a constant alone stays in registers.
// For the kernels, whatever they are compiled for: always inlined.
#pragma once

namespace ipop::engine {

// A number that is known when it compiles, handed to a body by each().
template <int kValue>
struct Index {
  static constexpr int value = kValue;
};

// body(Index<0>{}), body(Index<1>{}) ..
template <int kCount, int kFirst = 0, typename Body>
[[gnu::always_inline]] inline void each(const Body& body) {
  if constexpr (kFirst < kCount) {
    body(Index<kFirst>{});
    each<kCount, kFirst + 1>(body);
  }
}

}  // namespace ipop::engine
