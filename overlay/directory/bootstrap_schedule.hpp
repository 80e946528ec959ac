// When to call for the DHT: at once and ever more slowly while no node answers, again when all
// fall silent. OpenDHT alone would wait up to a day between tries, and does not notice that it is
// cut off. Overlay thread; pure: time is passed in, nothing is sent from here.
#pragma once

#include <cstdint>
#include <random>

#include "base/clock.hpp"

namespace ipop::overlay {

// How long no node may be heard. Probes begin early enough for several to be lost.
struct SilenceLimits {
  Duration probe_after = std::chrono::seconds(15);
  Duration probe_interval = std::chrono::seconds(5);
  Duration isolated_after = std::chrono::seconds(30);
};

class BootstrapSchedule {
 public:
  enum class Step : std::uint8_t {
    kNone,
    kProbe,      // connected but quiet: ask a known node for a sign of life
    kBootstrap,  // not connected: call all bootstrap nodes and remembered ones
  };

  explicit BootstrapSchedule(std::uint64_t seed, const SilenceLimits& limits = {})
      : random_(seed), limits_(limits) {}

  // A datagram of the DHT came in.
  void heard(Instant now) noexcept { last_heard_ = now; }
  // What to do now. `good_nodes`: whether the routing tables hold a node that answered.
  [[nodiscard]] Step step(bool good_nodes, Instant now);
  // When step() may next say something else than kNone.
  [[nodiscard]] Instant next() const noexcept { return next_; }

  // As of the last step(): a good node is known, and one was heard lately.
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  // How often a connection was lost because all nodes fell silent.
  [[nodiscard]] std::uint64_t isolations() const noexcept { return isolations_; }

 private:
  [[nodiscard]] Duration delay_after(unsigned attempt);

  std::mt19937_64 random_;
  SilenceLimits limits_;
  bool connected_ = false;
  unsigned attempt_ = 0;
  std::uint64_t isolations_ = 0;
  Instant last_heard_{};
  Instant last_probe_{};
  Instant next_{};
};

}  // namespace ipop::overlay
