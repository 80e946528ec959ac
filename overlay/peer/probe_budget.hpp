// How many datagrams a peer may make us send to addresses that have never answered: whoever says
// where it can be reached may name a third party. Counted by address, as a liar has many ports to
// name. Overlay thread; pure, bounded.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

class ProbeBudget {
 public:
  static constexpr unsigned kMostUnanswered = 128;  // to one address, in kForgetAfter; the usual
  static constexpr Duration kForgetAfter = std::chrono::minutes(10);
  static constexpr std::size_t kMostAddresses = 32;  // at a time

  explicit ProbeBudget(unsigned most_unanswered = kMostUnanswered) : most_(most_unanswered) {}

  void set_most(unsigned most_unanswered) { most_ = most_unanswered; }

  // Takes one datagram to the address; false if there is none left, or no room for another address.
  [[nodiscard]] bool take(const IpAddress& to, Instant now);
  // How many there are left.
  [[nodiscard]] unsigned left(const IpAddress& to, Instant now) const;
  // Something authentic came from there.
  void answered(const IpAddress& from);

 private:
  struct Count {
    IpAddress to;
    unsigned sent = 0;
    Instant since{};
  };

  unsigned most_;
  std::vector<Count> counts_;
};

}  // namespace ipop::overlay
