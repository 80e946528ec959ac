// What datagrams name by an index that we chose: a direct array by slot, and the generation in the
// index's upper bits tells a datagram for the slot's former entry from one for its present.
// Sessions by receiver index, relayed circuits by label. The overlay thread reserves, publishes and
// retires; lcores find.
#pragma once

#include <sodium.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "engine/table/lazy_array.hpp"
#include "engine/table/reclaim.hpp"

namespace ipop::engine {

// `Index` is an enum of 32 bits whose zero is never handed out; `Entry` has its index in `local`.
template <typename Index, typename Entry>
class IndexTable {
 public:
  // Throws std::runtime_error.
  IndexTable(std::uint32_t size, Reclaimer& reclaimer)
      : reclaimer_(reclaimer),
        slot_bits_(static_cast<std::uint32_t>(std::bit_width(size - 1))),
        slot_mask_((1u << slot_bits_) - 1),
        slots_(size) {
    if (size < 2 || slot_bits_ > 24) {
      throw std::runtime_error("a table by index holds 2 to 16,777,216 entries");
    }
  }
  ~IndexTable() {
    for (std::uint32_t slot = 0; slot < fresh_; ++slot)
      delete slots_[slot].entry.load(std::memory_order_relaxed);
  }
  IndexTable(const IndexTable&) = delete;
  IndexTable& operator=(const IndexTable&) = delete;

  // Overlay thread. Fails when all are in use.
  [[nodiscard]] Result<Index> reserve() {
    std::uint32_t slot = fresh_;
    if (fresh_ < slots_.size()) {
      ++fresh_;
      slots_[slot].generation = randombytes_random();
    } else if (!returned_.empty()) {
      slot = returned_.front();
      returned_.pop_front();
      ++slots_[slot].generation;
    } else {
      return fail("all " + std::to_string(slots_.size()) + " are in use");
    }
    if (index_of(slot) == Index{}) ++slots_[slot].generation;
    slots_[slot].reserved = true;
    return index_of(slot);
  }
  // `entry->local` is reserved. What was there before is freed once no lcore can see it.
  void publish(std::unique_ptr<Entry> entry) {
    Slot& slot = slots_[slot_of(entry->local)];
    Entry* const old = slot.entry.exchange(entry.release(), std::memory_order_acq_rel);
    if (old != nullptr) reclaimer_.defer([owned = std::unique_ptr<Entry>(old)] {});
  }
  // Unlinks it; its slot is free for a new generation once no lcore can see it. `last_look` runs
  // just before the entry is freed. Nothing happens if the index is not (or no longer) known.
  void retire(Index index, std::move_only_function<void(const Entry&)> last_look) {
    if (!is_reserved(index)) return;
    const std::uint32_t slot = slot_of(index);
    slots_[slot].reserved = false;
    Entry* const entry = slots_[slot].entry.exchange(nullptr, std::memory_order_relaxed);
    if (entry == nullptr) {
      returned_.push_back(slot);
      return;
    }
    reclaimer_.defer([this, slot, last_look = std::move(last_look),
                      owned = std::unique_ptr<Entry>(entry)]() mutable {
      if (last_look) last_look(*owned);
      owned.reset();
      returned_.push_back(slot);
    });
  }
  [[nodiscard]] bool is_reserved(Index index) const noexcept {
    const std::uint32_t slot = slot_of(index);
    return slot < fresh_ && slots_[slot].reserved && index_of(slot) == index;
  }

  // Lcores and the overlay thread; nullptr unless published.
  [[nodiscard]] Entry* find(Index index) const noexcept {
    Entry* const entry = at_slot(index);
    return entry != nullptr && entry->local == index ? entry : nullptr;
  }
  // The slot's entry, of whatever generation: to prefetch before asking.
  [[nodiscard]] Entry* at_slot(Index index) const noexcept {
    const std::uint32_t slot = slot_of(index);
    // Acquire pairs with the release in publish().
    return slot < slots_.size() ? slots_[slot].entry.load(std::memory_order_acquire) : nullptr;
  }
  // Where an index points to: what is kept beside the table, slot by slot, is found by it.
  [[nodiscard]] std::uint32_t slot_of(Index index) const noexcept {
    return static_cast<std::uint32_t>(index) & slot_mask_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

 private:
  struct Slot {
    std::atomic<Entry*> entry;  // lcore: r, overlay: w
    std::uint32_t generation;   // overlay: rw
    bool reserved;              // overlay: rw
  };

  [[nodiscard]] Index index_of(std::uint32_t slot) const noexcept {
    return Index{(slots_[slot].generation << slot_bits_) | slot};
  }

  Reclaimer& reclaimer_;
  std::uint32_t slot_bits_;
  std::uint32_t slot_mask_;
  LazyArray<Slot> slots_;
  // Slots never used yet begin here; those given back wait in a queue, so that an index comes back
  // as late as possible.
  std::uint32_t fresh_ = 0;
  std::deque<std::uint32_t> returned_;
};

}  // namespace ipop::engine
