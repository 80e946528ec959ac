#include "overlay/port_guessing/port_guesser.hpp"

#include <sodium.h>

#include <cstdlib>
#include <numeric>
#include <utility>

namespace ipop::overlay {

namespace {

using Kind = PortModel::Kind;

// What is known of where they are in their steps is out of date, and others may use their NAT: at
// first by little, if that fails by more.
constexpr unsigned kNear = 32;
constexpr unsigned kNearFor = 1024;
constexpr unsigned kFar = 128;

void shuffle(std::vector<std::uint16_t>& values) {
  for (std::size_t left = values.size(); left > 1; --left) {
    const std::uint32_t other = randombytes_uniform(static_cast<std::uint32_t>(left));
    std::swap(values[left - 1], values[other]);
  }
}

}  // namespace

PortGuesser::PortGuesser(const PortModel& theirs, unsigned their_sockets)
    : theirs_(theirs), in_step_(theirs.kind == Kind::kSteps && their_sockets == 0) {
  if (theirs.kind == Kind::kSteps && !in_step_) {
    const int before = static_cast<int>(kNear / 2);
    for (int i = -before; i < static_cast<int>(their_sockets) + before; ++i)
      ports_.push_back(wrapped_port(theirs.first + i * theirs.step));
  } else if (theirs.kind == Kind::kAnyOf) {
    for (int port = theirs.first; port <= theirs.last; ++port)
      ports_.push_back(static_cast<std::uint16_t>(port));
  }
  if (ports_.empty()) ports_.push_back(theirs.first);
  shuffle(ports_);
}

// Each step once, as only then our n-th datagram makes our n-th mapping: in blocks, each in an
// order of its own.
std::uint16_t PortGuesser::next_in_step(unsigned number) {
  const unsigned block = number < kNearFor ? kNear : kFar;
  if (number % block == 0) {
    ports_.resize(block);
    std::iota(ports_.begin(), ports_.end(), std::uint16_t{0});
    shuffle(ports_);
  }
  const int steps = static_cast<int>(number - number % block + ports_[number % block]);
  return wrapped_port(theirs_.first + steps * theirs_.step);
}

std::uint16_t PortGuesser::next() {
  const unsigned number = tried_++;
  return in_step_ ? next_in_step(number) : ports_[number % ports_.size()];
}

unsigned PortGuesser::rounds() const noexcept {
  constexpr unsigned kPorts = 64'512;
  const auto step = static_cast<unsigned>(std::abs(int{theirs_.step}));
  return tried_ /
         (in_step_ ? kPorts / std::gcd(step, kPorts) : static_cast<unsigned>(ports_.size()));
}

}  // namespace ipop::overlay
