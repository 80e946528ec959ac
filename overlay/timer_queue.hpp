// When whom to look at next: one deadline per key, the earliest first. Pure; overlay thread.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"

namespace ipop::overlay {

template <typename Key>
class TimerQueue {
 public:
  // Replaces the key's deadline, if it has one.
  void set(Key key, Instant at) {
    cancel(key);
    order_.emplace(at, key);
    deadlines_.emplace(key, at);
  }

  // Like set(), but never later than what is there.
  void set_earlier(Key key, Instant at) {
    const auto found = deadlines_.find(key);
    if (found == deadlines_.end() || at < found->second) set(key, at);
  }

  void cancel(Key key) {
    const auto found = deadlines_.find(key);
    if (found == deadlines_.end()) return;
    order_.erase({found->second, key});
    deadlines_.erase(found);
  }

  [[nodiscard]] std::optional<Instant> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }

  // Removes and returns the earliest key whose deadline has come.
  [[nodiscard]] std::optional<Key> pop_due(Instant now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const Key key = order_.begin()->second;
    cancel(key);
    return key;
  }

 private:
  std::set<std::pair<Instant, Key>> order_;
  std::unordered_map<Key, Instant> deadlines_;
};

}  // namespace ipop::overlay
