// rte_rings between exactly two threads: one puts in, one takes out. Made at start-up.
#pragma once

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ipop::engine {

struct RingFree {
  void operator()(rte_ring* at) const noexcept { rte_ring_free(at); }
};
using Ring = std::unique_ptr<rte_ring, RingFree>;

// Holds `count` elements of `element_size` bytes, a multiple of 4. `what` is part of its name.
// Throws std::runtime_error. EAL must run.
[[nodiscard]] Ring make_ring(const char* what, std::size_t element_size, std::uint32_t count);

// For the thread that takes out. Unlike rte_ring_empty() it may race with the other. Acquire pairs
// with the release at the end of an enqueue.
[[nodiscard]] inline bool nothing_to_take(const rte_ring* ring) noexcept {
  return __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) == ring->cons.tail;
}

// For the thread that puts in. Unlike rte_ring_full() it may race with the other. Acquire pairs
// with the release at the end of a dequeue.
[[nodiscard]] inline bool no_room_left(const rte_ring* ring) noexcept {
  return ring->prod.tail - __atomic_load_n(&ring->cons.tail, __ATOMIC_ACQUIRE) >= ring->capacity;
}

}  // namespace ipop::engine
