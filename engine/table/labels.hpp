// What a lcore does with a relayed datagram, by the label that it carries: passes it on, or takes
// it as ours. The overlay thread grants labels and replaces entries as a whole; lcores read them
// and count.
#pragma once

#include <algorithm>

#include "engine/api/types.hpp"
#include "engine/owned_counter.hpp"
#include "engine/table/index_table.hpp"

namespace ipop::engine {

// One line of the cache, never changed.
struct alignas(64) LabelView {
  RelayLabel local = kNoLabel;
  bool ends_here = false;
  Endpoint from;  // who may use it; port 0 = nobody, its path is not known
  // Where it goes next, with the label to write. If it ends here: where it came from, and the label
  // for what is sent back.
  Endpoint to;
};
static_assert(sizeof(LabelView) == 64);

// Each lcore has one of its own for each label. lcore: rw, overlay: r; cleared by the overlay while
// no lcore knows the label
struct LabelUse {
  OwnedCounter packets;
  OwnedCounter bytes;
  OwnedTime last;
};

class LabelTable {
 public:
  LabelTable(std::uint32_t size, std::uint32_t lcores, Reclaimer& reclaimer)
      : lcores_(lcores), views_(size, reclaimer), uses_(std::size_t{size} * lcores) {}

  // Overlay thread.
  [[nodiscard]] Result<RelayLabel> reserve() {
    const auto label = views_.reserve();
    for (unsigned lcore = 0; label && lcore < lcores_; ++lcore) {
      LabelUse& of_lcore = use(*label, lcore);
      of_lcore.packets.set(0);
      of_lcore.bytes.set(0);
      of_lcore.last.set({});
    }
    return label;
  }
  void publish(const LabelView& view) { views_.publish(std::make_unique<LabelView>(view)); }
  void retire(RelayLabel label) { views_.retire(label, {}); }
  [[nodiscard]] bool is_reserved(RelayLabel label) const noexcept {
    return views_.is_reserved(label);
  }

  // Lcores and the overlay thread.
  [[nodiscard]] const LabelView* find(RelayLabel label) const noexcept {
    return views_.find(label);
  }
  [[nodiscard]] const LabelView* at_slot(RelayLabel label) const noexcept {
    return views_.at_slot(label);
  }
  // Of a label that is reserved. Slots lie together within an lcore's part, away from others'.
  [[nodiscard]] LabelUse& use(RelayLabel label, unsigned lcore) const noexcept {
    return uses_[lcore * views_.size() + views_.slot_of(label)];
  }
  // By all lcores.
  [[nodiscard]] LabelActivity activity(RelayLabel label) const noexcept {
    LabelActivity sum;
    for (unsigned lcore = 0; lcore < lcores_; ++lcore) {
      const LabelUse& of_lcore = use(label, lcore);
      sum.packets += of_lcore.packets.get();
      sum.bytes += of_lcore.bytes.get();
      sum.last = std::max(sum.last, of_lcore.last.get());
    }
    return sum;
  }

 private:
  std::uint32_t lcores_;
  IndexTable<RelayLabel, LabelView> views_;
  mutable LazyArray<LabelUse> uses_;  // lcores write it, who read all the rest
};

}  // namespace ipop::engine
