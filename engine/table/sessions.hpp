// Receiver index → session: a direct array by slot, and the generation in the index's upper bits
// tells a datagram for the slot's former session from one for its present. The overlay thread
// reserves, publishes and retires; lcores find.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/error.hpp"
#include "engine/api/types.hpp"
#include "engine/table/lazy_array.hpp"
#include "engine/table/reclaim.hpp"
#include "engine/table/session.hpp"

namespace ipop::engine {

class SessionTable {
 public:
  SessionTable(std::uint32_t max_sessions, Reclaimer& reclaimer);
  ~SessionTable();

  // Overlay thread.
  [[nodiscard]] Result<ReceiverIndex> reserve();
  // `session->local` is reserved and not published.
  void publish(std::unique_ptr<Session> session);
  // Unlinks it; its slot is free for a new generation once no lcore can see it. `last_look` runs
  // just before the session is freed. Nothing happens if the index is not (or no longer) known.
  void retire(ReceiverIndex index, std::move_only_function<void(const Session&)> last_look);
  [[nodiscard]] bool is_reserved(ReceiverIndex index) const noexcept;

  // Lcores and the overlay thread; nullptr unless published.
  [[nodiscard]] Session* find(ReceiverIndex index) const noexcept {
    Session* const session = at_slot(index);
    return session != nullptr && session->local == index ? session : nullptr;
  }
  // The slot's session, of whatever generation: to prefetch before asking.
  [[nodiscard]] Session* at_slot(ReceiverIndex index) const noexcept {
    const std::uint32_t slot = slot_of(index);
    // Acquire pairs with the release in publish().
    return slot < slots_.size() ? slots_[slot].session.load(std::memory_order_acquire) : nullptr;
  }

 private:
  struct Slot {
    std::atomic<Session*> session;  // lcore: r, overlay: w
    std::uint32_t generation;       // overlay: rw
    bool reserved;                  // overlay: rw
  };

  [[nodiscard]] std::uint32_t slot_of(ReceiverIndex index) const noexcept {
    return static_cast<std::uint32_t>(index) & slot_mask_;
  }
  [[nodiscard]] ReceiverIndex index_of(std::uint32_t slot) const noexcept;

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
