#include "overlay/directory/value_gate.hpp"

#include <algorithm>

namespace ipop::overlay {

ValueGate::ValueGate() {
  crypto_shorthash_keygen(key_.data());
}

bool ValueGate::spend(Instant now) noexcept {
  if (now > filled_) {
    const std::chrono::duration<double> passed = now - filled_;
    tokens_ = std::min<double>(kBurst, tokens_ + passed.count() * kPerSecond);
    filled_ = now;
  }
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

ValueGate::Verdict ValueGate::check(ByteView value, Instant now) {
  if (value.empty() || value.size() > kMaxValue) return Verdict::kUnfit;
  std::uint64_t hash = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), value.data(), value.size(),
                   key_.data());
  if (seen_.contains(hash)) return Verdict::kDuplicate;
  if (!spend(now)) return Verdict::kTooMany;
  if (order_.size() == kMaxRemembered) {
    seen_.erase(order_.front());
    order_.pop_front();
  }
  seen_.insert(hash);
  order_.push_back(hash);
  return Verdict::kPass;
}

}  // namespace ipop::overlay
