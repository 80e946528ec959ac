// A NAT of the simulated world, by the kinds of RFC 4787: how it maps and what it lets in. Mappings
// end after two minutes in which nothing went out. Without hairpinning.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::sim {

// What an outside endpoint has to have in common with one that was sent to.
enum class By { kNothing, kAddress, kEndpoint };

class Nat {
 public:
  static constexpr Duration kLife = std::chrono::minutes(2);

  Nat(const IpAddress& external, By mapping, By filtering)
      : external_(external), mapping_(mapping), filtering_(filtering) {}

  // Where a datagram from `inside` to `to` seems to come from.
  [[nodiscard]] Endpoint out(const Endpoint& inside, const Endpoint& to, Instant now);
  // Where a datagram to `external` belongs; nothing if it is not let in.
  [[nodiscard]] std::optional<Endpoint> in(const Endpoint& from, const Endpoint& external,
                                           Instant now) const;
  // As after a power cut: every mapping is another one.
  void forget() { mappings_.clear(); }
  [[nodiscard]] const IpAddress& external() const noexcept { return external_; }

 private:
  struct Mapping {
    Endpoint inside;
    Endpoint key;  // the part of the destination that counts
    std::uint16_t port = 0;
    Instant used{};
    std::vector<Endpoint> sent_to;
  };

  [[nodiscard]] static Endpoint part(const Endpoint& of, By by);

  const IpAddress external_;
  const By mapping_;
  const By filtering_;
  std::uint16_t next_port_ = 40000;
  std::vector<Mapping> mappings_;
};

}  // namespace ipop::sim
