// Where a peer was looked for, by handshakes and pings, and what came of it: what `ipop status
// PEER` tells of its candidates. Overlay thread; pure, bounded.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

struct Trial {
  Endpoint endpoint;
  unsigned unanswered = 0;  // sent since the last answer
  Instant sent{};           // the last one
  std::optional<Instant> answered;
};

class Trials {
 public:
  static constexpr std::size_t kMost = 24;

  void sent(const Endpoint& to, Instant now);
  // Something authentic came from there.
  void answered(const Endpoint& from, Instant now);
  [[nodiscard]] const Trial* find(const Endpoint& endpoint) const noexcept;
  [[nodiscard]] const std::vector<Trial>& all() const noexcept { return trials_; }

 private:
  // Where there is no room, the one that was quiet for the longest time makes it.
  [[nodiscard]] Trial& of(const Endpoint& endpoint);

  std::vector<Trial> trials_;
};

}  // namespace ipop::overlay
