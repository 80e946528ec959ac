// Which ports of the other end's NAT to try, one after another, by how it chooses them. Pure, but
// for libsodium's random numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/nat/port_model.hpp"

namespace ipop::overlay {

class PortGuesser {
 public:
  // `their_sockets`: how many mappings they make for one port of ours, 0 if each goes to another
  // port that they guess in their turn.
  PortGuesser(const PortModel& theirs, unsigned their_sockets);

  // Never 0. Goes on for ever: when all were tried, from the start.
  [[nodiscard]] std::uint16_t next();
  [[nodiscard]] unsigned tried() const noexcept { return tried_; }
  // How often all ports have been tried.
  [[nodiscard]] unsigned rounds() const noexcept;

 private:
  [[nodiscard]] std::uint16_t next_in_step(unsigned number);

  PortModel theirs_;
  bool in_step_;                      // with them: our n-th guess is about their n-th mapping
  std::vector<std::uint16_t> ports_;  // in the order in which they are tried
  unsigned tried_ = 0;
};

}  // namespace ipop::overlay
