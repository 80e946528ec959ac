#include "perf/pps/ring_wire.hpp"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <atomic>
#include <stdexcept>
#include <string>

namespace ipop::perf {
namespace {

constexpr unsigned kFrames = 1024;

rte_ring* make_ring(const std::string& name) {
  rte_ring* const ring =
      rte_ring_create(name.c_str(), kFrames, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (ring == nullptr) throw std::runtime_error("no memory for a ring");
  return ring;
}

}  // namespace

RingWire::RingWire() {
  static std::atomic<unsigned> made{0};
  const std::string name = "wire" + std::to_string(made++);
  in_ = make_ring(name + "-in");
  out_ = make_ring(name + "-out");
  if (rte_eth_from_rings(name.c_str(), &in_, 1, &out_, 1, 0) < 0) {
    throw std::runtime_error("net_ring makes no port");
  }
  open("net_ring_" + name);
}

RingWire::~RingWire() {
  const std::uint16_t id = device().id();
  close();
  (void)rte_eth_dev_close(id);
  rte_ring_free(in_);
  rte_ring_free(out_);
}

std::uint16_t RingWire::take_frames(std::span<rte_mbuf*> into) noexcept {
  return static_cast<std::uint16_t>(rte_ring_dequeue_burst(
      out_, reinterpret_cast<void**>(into.data()), static_cast<unsigned>(into.size()), nullptr));
}

void RingWire::give_frames(std::span<rte_mbuf* const> frames) noexcept {
  (void)rte_ring_enqueue_burst(in_, reinterpret_cast<void* const*>(frames.data()),
                               static_cast<unsigned>(frames.size()), nullptr);
}

}  // namespace ipop::perf
