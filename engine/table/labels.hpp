// What a lcore does with a relayed datagram, by the label that it carries: passes it on, or takes
// it as ours. The overlay thread grants labels and replaces entries as a whole; lcores read them
// and count.
#pragma once

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

// lcore: rw, overlay: r; cleared by the overlay while no lcore knows the label
struct LabelUse {
  OwnedCounter packets;
  OwnedCounter bytes;
  OwnedTime last;
};

class LabelTable {
 public:
  LabelTable(std::uint32_t size, Reclaimer& reclaimer) : views_(size, reclaimer), uses_(size) {}

  // Overlay thread.
  [[nodiscard]] Result<RelayLabel> reserve() {
    const auto label = views_.reserve();
    if (label) {
      use(*label).packets.set(0);
      use(*label).bytes.set(0);
      use(*label).last.set({});
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
  // Of a label that is reserved.
  [[nodiscard]] LabelUse& use(RelayLabel label) const noexcept {
    return uses_[views_.slot_of(label)];
  }

 private:
  IndexTable<RelayLabel, LabelView> views_;
  mutable LazyArray<LabelUse> uses_;  // lcores write it, who read all the rest
};

}  // namespace ipop::engine
