// How many datagrams two ends send to ports that they guess, and with what chance, each knowing how
// the other's NAT chooses ports and how much it is ready to send. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "overlay/nat/port_model.hpp"

namespace ipop::overlay {

// The values are those of the wire (message::PortsOffer), but for kNone.
enum class GuessingEffort : std::uint8_t {
  kNone = 0,
  kGentle = 1,    // hardly noticed by anybody: 250 datagrams a second, half of our NAT's ports
  kThorough = 2,  // where nothing else helps and both are: 8,000 a second, whatever that costs
};

struct GuessingEnd {
  // By itself, where nothing else is said, an end that is gentle.
  GuessingEnd(const PortModel& of, GuessingEffort how = GuessingEffort::kGentle)
      : model(of), effort(how) {}

  PortModel model;
  GuessingEffort effort;
};

struct GuessingPlan {
  unsigned rate = 0;     // datagrams a second, at most
  unsigned probes = 0;   // datagrams in all, at most
  unsigned sockets = 0;  // to send them from, 0 for the one that everybody is told
};
inline constexpr unsigned kGuessingSockets = 256;
inline constexpr unsigned kMostGuesses = 160'000;  // of one run

// Neither sends for longer than `time`. Who makes a mapping with each datagram never uses more than
// half of the ports that its NAT seems to have, unless it is thorough: others behind it need some,
// too.
[[nodiscard]] GuessingPlan guessing_plan(const GuessingEnd& ours, const GuessingEnd& theirs,
                                         std::chrono::seconds time) noexcept;
// The chance that they meet, from 0 to 1. The same for both.
[[nodiscard]] double chance_of_meeting(const GuessingEnd& ours, const GuessingEnd& theirs,
                                       std::chrono::seconds time) noexcept;

}  // namespace ipop::overlay
