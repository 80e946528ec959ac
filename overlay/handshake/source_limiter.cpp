#include "overlay/handshake/source_limiter.hpp"

#include <algorithm>

namespace ipop::overlay::handshake {
namespace {

constexpr Duration kInterval = Duration(std::chrono::seconds(1)) / SourceLimiter::kPerSecond;

}  // namespace

SourceLimiter::SourceLimiter() : slots_(kMaxSources) {
  crypto_shorthash_keygen(hash_key_.data());
}

bool SourceLimiter::allow(const IpAddress& address, Instant now) noexcept {
  // A host has a whole /64 of IPv6 addresses to send from.
  const IpAddress source = address.is_v4() ? address : Prefix{address, 64}.masked().address;
  Slot* slot = nullptr;
  for (Slot& candidate : set_of(source)) {
    if (candidate.full_at > now && candidate.source == source) {
      slot = &candidate;
      break;
    }
    if (candidate.full_at <= now) slot = &candidate;
  }
  if (slot == nullptr) {
    ++refused_for_room_;
    return false;
  }
  const Instant full_at = std::max(slot->full_at, now) + kInterval;
  if (full_at > now + kBurst * kInterval) return false;
  *slot = {source, full_at};
  return true;
}

std::span<SourceLimiter::Slot, SourceLimiter::kWays> SourceLimiter::set_of(
    const IpAddress& source) noexcept {
  std::array<std::uint8_t, crypto_shorthash_BYTES> hash;
  crypto_shorthash(hash.data(), source.bytes().data(), source.bytes().size(), hash_key_.data());
  const std::size_t set = load_le<std::uint64_t>(hash.data()) % kSets;
  return std::span(slots_).subspan(set * kWays).first<kWays>();
}

}  // namespace ipop::overlay::handshake
