#include "engine/table/sessions.hpp"

#include <sodium.h>

#include <bit>
#include <stdexcept>
#include <utility>

namespace ipop::engine {

SessionTable::SessionTable(std::uint32_t max_sessions, Reclaimer& reclaimer)
    : reclaimer_(reclaimer),
      slot_bits_(static_cast<std::uint32_t>(std::bit_width(max_sessions - 1))),
      slot_mask_((1u << slot_bits_) - 1),
      slots_(max_sessions) {
  if (max_sessions < 2 || slot_bits_ > 24) {
    throw std::runtime_error("a session table holds 2 to 16,777,216 sessions");
  }
}

SessionTable::~SessionTable() {
  for (std::uint32_t slot = 0; slot < fresh_; ++slot) {
    delete slots_[slot].session.load(std::memory_order_relaxed);
  }
}

ReceiverIndex SessionTable::index_of(std::uint32_t slot) const noexcept {
  return ReceiverIndex{(slots_[slot].generation << slot_bits_) | slot};
}

Result<ReceiverIndex> SessionTable::reserve() {
  std::uint32_t slot = fresh_;
  if (fresh_ < slots_.size()) {
    ++fresh_;
    slots_[slot].generation = randombytes_random();
  } else if (!returned_.empty()) {
    slot = returned_.front();
    returned_.pop_front();
    ++slots_[slot].generation;
  } else {
    return fail("all " + std::to_string(slots_.size()) + " sessions are in use");
  }
  if (index_of(slot) == kNoReceiver) ++slots_[slot].generation;
  slots_[slot].reserved = true;
  return index_of(slot);
}

bool SessionTable::is_reserved(ReceiverIndex index) const noexcept {
  const std::uint32_t slot = slot_of(index);
  return slot < fresh_ && slots_[slot].reserved && index_of(slot) == index;
}

void SessionTable::publish(std::unique_ptr<Session> session) {
  Slot& slot = slots_[slot_of(session->local)];
  slot.session.store(session.release(), std::memory_order_release);
}

void SessionTable::retire(ReceiverIndex index,
                          std::move_only_function<void(const Session&)> last_look) {
  if (!is_reserved(index)) return;
  const std::uint32_t slot = slot_of(index);
  slots_[slot].reserved = false;
  Session* const session = slots_[slot].session.exchange(nullptr, std::memory_order_relaxed);
  if (session == nullptr) {
    returned_.push_back(slot);
    return;
  }
  reclaimer_.defer([this, slot, last_look = std::move(last_look),
                    owned = std::unique_ptr<Session>(session)]() mutable {
    if (last_look) last_look(*owned);
    owned.reset();
    returned_.push_back(slot);
  });
}

}  // namespace ipop::engine
