// Which places of the DHT were asked for within the last hour or so. OpenDHT keeps a search for
// each that long, and when it has more than it may it takes one that is in use for another key. So
// no more are asked for. Overlay thread; pure: time is passed in.
#pragma once

#include <cstddef>
#include <map>

#include "base/clock.hpp"
#include "overlay/directory/directory_key.hpp"

namespace ipop::overlay {

class AskedKeys {
 public:
  static constexpr std::size_t kMost = 16'384;
  static constexpr Duration kKeptFor = std::chrono::minutes(65);  // a search: 62

  // False if there are too many, and this is none of them.
  [[nodiscard]] bool admit(const DirectoryKey& key, Instant now);
  void clear() { asked_.clear(); }

 private:
  std::map<DirectoryKey, Instant> asked_;  // when last
  Instant next_sweep_{};
};

}  // namespace ipop::overlay
