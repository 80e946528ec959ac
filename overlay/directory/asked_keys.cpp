#include "overlay/directory/asked_keys.hpp"

namespace ipop::overlay {
namespace {

constexpr Duration kSweepEvery = std::chrono::seconds(10);

}  // namespace

bool AskedKeys::admit(const DirectoryKey& key, Instant now) {
  const auto known = asked_.find(key);
  if (known != asked_.end()) {
    known->second = now;
    return true;
  }
  if (asked_.size() >= kMost && now >= next_sweep_) {
    next_sweep_ = now + kSweepEvery;
    std::erase_if(asked_, [&](const auto& each) { return now - each.second >= kKeptFor; });
  }
  return asked_.size() < kMost && asked_.emplace(key, now).second;
}

}  // namespace ipop::overlay
