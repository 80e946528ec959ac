// What nodes say to all others on their link: who they are, and whom they look for. Sealed with the
// network's key, so that nobody else on the link learns more than that somebody talks. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/directory/node_record.hpp"

namespace ipop::overlay {

struct LanMessage {
  enum class Kind : std::uint8_t {
    kHere = 1,      // nobody need answer
    kWho = 2,       // everybody is to say who they are
    kWhoHolds = 3,  // whoever holds `address` is
  };

  Kind kind = Kind::kHere;
  IpAddress address;  // kWhoHolds: an inner one
  NodeRecord from;

  static constexpr std::size_t kMaxSize = 1200;

  // At most kMaxSize bytes. Signed with `identity`, which must be the record's.
  [[nodiscard]] std::vector<std::uint8_t> seal(const Identity& identity,
                                               const NetworkKey& network) const;
  // The inverse in two steps: the first is cheap, and fails if it is of another network or damaged;
  // the second, of what the first gave, fails if it is forged, or its record expired at `now`.
  [[nodiscard]] static Result<std::vector<std::uint8_t>> unseal(ByteView datagram,
                                                                const NetworkKey& network);
  [[nodiscard]] static Result<LanMessage> parse(ByteView unsealed, const NetworkKey& network,
                                                WallTime now);
};

}  // namespace ipop::overlay
