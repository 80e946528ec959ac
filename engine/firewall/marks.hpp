// What a peer is to the rules: a bit for each group, name and node id that they speak of. Which bit
// is which, RuleSet knows, and only for one set of rules; so a peer's entry has room for those of
// two, by whether their generation is odd, and rules change without a moment in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ipop::engine::firewall {

struct PeerMarks {
  static constexpr std::size_t kBits = 128;

  std::array<std::uint64_t, kBits / 64> bits{};

  void set(std::size_t bit) noexcept { bits[bit / 64] |= std::uint64_t{1} << bit % 64; }
  [[nodiscard]] bool any_of(const PeerMarks& wanted) const noexcept {
    return ((bits[0] & wanted.bits[0]) | (bits[1] & wanted.bits[1])) != 0;
  }
  [[nodiscard]] bool all_of(const PeerMarks& wanted) const noexcept {
    return ((wanted.bits[0] & ~bits[0]) | (wanted.bits[1] & ~bits[1])) == 0;
  }
  friend bool operator==(const PeerMarks&, const PeerMarks&) = default;
};

// As they stand in a peer's entry. lcore: r, overlay: w before it publishes
struct StampedMarks {
  std::uint32_t generation = 0;  // of the rules that they are for; 0 = none
  // Another one for each peer, each set of rules, and each change of what the peer is: what was
  // judged with the same stamp was judged of the same peer, the same marks and the same rules.
  std::uint32_t stamp = 0;
  PeerMarks marks;
};
static_assert(sizeof(StampedMarks) == 24);

}  // namespace ipop::engine::firewall
