#include "engine/net/neighbours.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace ipop::engine {

Neighbours::Set& Neighbours::set_of(const IpAddress& address) noexcept {
  // The hash's low bits know little of an address's last ones, which tell neighbours apart.
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  return sets_[(std::hash<IpAddress>{}(address)*kGolden) >> (64 - kSetBits)];
}

Neighbours::Entry* Neighbours::entry_of(const IpAddress& address) noexcept {
  for (Entry& entry : set_of(address)) {
    if (entry.state != State::kFree && entry.address == address) return &entry;
  }
  return nullptr;
}

void Neighbours::change(Entry& entry, State state) noexcept {
  asking_ -= entry.asks();
  entry.state = state;
  asking_ += entry.asks();
  entry.asked = 0;
}

const MacAddress* Neighbours::find(const IpAddress& address, Instant now) noexcept {
  if (Entry* const entry = entry_of(address)) {
    entry->used = now;
    if (entry->state == State::kIncomplete) return nullptr;
    // Still used meanwhile: most often it is where it was.
    if (entry->state == State::kReachable && entry->due <= now) change(*entry, State::kProbe);
    return &entry->mac;
  }
  // A free one, or the one that was not used for longest, rather one that nobody waits for.
  Entry& entry = *std::ranges::min_element(set_of(address), {}, [](const Entry& each) {
    return each.state == State::kFree ? std::pair(false, Instant::min())
                                      : std::pair(each.state == State::kIncomplete, each.used);
  });
  change(entry, State::kIncomplete);
  entry.address = address;
  entry.due = entry.used = now;
  return nullptr;
}

bool Neighbours::learn(const IpAddress& address, const MacAddress& mac, Claim claim,
                       Instant now) noexcept {
  Entry* const entry = entry_of(address);
  if (entry == nullptr) return false;
  const bool waited = entry->state == State::kIncomplete;
  const bool moved = !waited && entry->mac != mac;
  // What was not asked for may be stale, or a lie: it is taken, as hosts do so that an address can
  // move at once (RFC 5227 §4), and then asked about; as often as if it had not been said again.
  if (!moved || claim.overrides) entry->mac = mac;
  if (claim.confirms && (!moved || claim.overrides)) {
    change(*entry, State::kReachable);
    entry->due = now + kReachable;
  } else if (entry->state != State::kProbe && (moved || waited)) {
    change(*entry, State::kProbe);
    entry->due = now;
  }
  return waited;
}

void Neighbours::confirm(const IpAddress& address, Instant now) noexcept {
  Entry* const entry = entry_of(address);
  if (entry == nullptr || entry->state == State::kIncomplete) return;
  change(*entry, State::kReachable);
  entry->due = now + kReachable;
}

}  // namespace ipop::engine
