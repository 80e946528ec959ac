#include "engine/ring.hpp"

#include <rte_errno.h>

#include <atomic>
#include <stdexcept>
#include <string>

namespace ipop::engine {

Ring make_ring(const char* what, std::size_t element_size, std::uint32_t count) {
  static std::atomic<unsigned> made{0};
  const std::string name = std::string("ipop-") + what + "-" + std::to_string(made++);
  Ring ring(rte_ring_create_elem(name.c_str(), static_cast<unsigned>(element_size), count,
                                 SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ));
  if (!ring) {
    throw std::runtime_error("no memory for the ring of " + std::string(what) + " (" +
                             rte_strerror(rte_errno) + "): raise engine.memory_mb");
  }
  return ring;
}

}  // namespace ipop::engine
