#include "engine/path/handover.hpp"

#include <bit>
#include <utility>

namespace ipop::engine {

HandoverRings::HandoverRings(std::vector<Bell*> bells) : bells_(std::move(bells)) {
  if (lcores() < 2) return;
  for (unsigned from = 0; from < lcores(); ++from) {
    for (unsigned to = 0; to < lcores(); ++to) {
      for (unsigned side = 0; side < kSides; ++side) {
        rings_.push_back(from == to ? nullptr : make_ring("handed", sizeof(rte_mbuf*), kPackets));
      }
    }
  }
}

HandoverRings::~HandoverRings() {
  rte_mbuf* packet = nullptr;
  for (const Ring& ring : rings_) {
    while (ring && rte_ring_sc_dequeue_elem(ring.get(), &packet, sizeof packet) == 0)
      rte_pktmbuf_free(packet);
  }
}

bool Handover::give(HandoverRings::Side side, unsigned to, rte_mbuf* packet) noexcept {
  if (rte_ring_sp_enqueue_elem(rings_->between(lcore_, to, side), &packet, sizeof packet) != 0) {
    return false;
  }
  given_to_ |= std::uint64_t{1} << to;
  return true;
}

void Handover::wake() noexcept {
  for (; given_to_ != 0; given_to_ &= given_to_ - 1)
    rings_->bells_[static_cast<unsigned>(std::countr_zero(given_to_))]->ring();
}

std::uint16_t Handover::take(HandoverRings::Side side, std::span<rte_mbuf*> into) noexcept {
  if (rings_ == nullptr) return 0;
  const unsigned lcores = rings_->lcores();
  std::uint32_t taken = 0;
  first_ = first_ + 1 < lcores ? first_ + 1 : 0;
  for (unsigned i = 0, from = first_; i < lcores && taken < into.size(); ++i) {
    if (from != lcore_) {
      taken += rte_ring_sc_dequeue_burst_elem(rings_->between(from, lcore_, side), &into[taken],
                                              sizeof(rte_mbuf*),
                                              static_cast<unsigned>(into.size()) - taken, nullptr);
    }
    from = from + 1 < lcores ? from + 1 : 0;
  }
  return static_cast<std::uint16_t>(taken);
}

bool Handover::empty() const noexcept {
  if (rings_ == nullptr) return true;
  for (unsigned from = 0; from < rings_->lcores(); ++from) {
    if (from == lcore_) continue;
    for (const auto side : {HandoverRings::kHost, HandoverRings::kWire}) {
      if (!nothing_to_take(rings_->between(from, lcore_, side))) return false;
    }
  }
  return true;
}

}  // namespace ipop::engine
