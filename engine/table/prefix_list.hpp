// Subnets → peer, longest prefix first; one version of the list, which never changes once lcores
// see it. A lookup asks each length that occurs, longest first, by binary search.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

struct PrefixRoute {
  Prefix prefix;  // masked
  PeerIndex peer = kNoPeer;
};

class PrefixList {
 public:
  PrefixList() = default;
  // In any order, without two of the same prefix.
  explicit PrefixList(std::span<const PrefixRoute> routes);

  // kNoPeer if there is none.
  [[nodiscard]] PeerIndex find(const IpAddress& address) const noexcept;

 private:
  struct Entry {
    IpAddress first;
    PeerIndex peer;
  };
  struct Level {
    std::uint8_t length;
    std::vector<Entry> entries;  // by address
  };
  std::vector<Level> v4_;  // longest first
  std::vector<Level> v6_;
};

}  // namespace ipop::engine
