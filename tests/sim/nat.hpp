// A NAT of the simulated world, by the kinds of RFC 4787: how it maps and what it lets in. Mappings
// end after 45 seconds in which nothing went out, sooner than RFC 4787 asks, as many do. Without
// hairpinning.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::sim {

// What an outside endpoint has to have in common with one that was sent to.
enum class By { kNothing, kAddress, kEndpoint };

// How it chooses the outside port of a new mapping.
struct Ports {
  std::uint16_t first = 1024;
  std::uint16_t last = 65535;
  int step = 0;  // from the one before; 0: at random
};

class Nat {
 public:
  static constexpr Duration kLife = std::chrono::seconds(45);

  Nat(const IpAddress& external, By mapping, By filtering, Ports ports = {})
      : external_(external),
        mapping_(mapping),
        filtering_(filtering),
        ports_(ports),
        random_(external.v4()) {}

  // Where a datagram from `inside` to `to` seems to come from.
  [[nodiscard]] Endpoint out(const Endpoint& inside, const Endpoint& to, Instant now);
  // Where a datagram to `external` belongs; nothing if it is not let in.
  [[nodiscard]] std::optional<Endpoint> in(const Endpoint& from, const Endpoint& external,
                                           Instant now) const;
  // As after a power cut: every mapping is another one.
  void forget() {
    mappings_.clear();
    by_inside_.clear();
  }
  [[nodiscard]] std::size_t mappings() const noexcept { return mappings_.size(); }
  [[nodiscard]] const IpAddress& external() const noexcept { return external_; }

 private:
  struct Mapping {
    Endpoint inside;
    Instant used{};
    std::set<Endpoint> sent_to;  // as far as it counts for filtering
  };

  [[nodiscard]] static Endpoint part(const Endpoint& of, By by);

  const IpAddress external_;
  const By mapping_;
  const By filtering_;
  [[nodiscard]] std::uint16_t free_port(const Endpoint& key);

  const Ports ports_;
  std::minstd_rand random_;
  std::uint16_t last_port_ = 40000;
  // By port and the part of the destination that counts: as Linux does, one port may serve several.
  // What is too old is looked for now and then only.
  std::map<std::pair<std::uint16_t, Endpoint>, Mapping> mappings_;
  std::map<std::pair<Endpoint, Endpoint>, std::uint16_t> by_inside_;
  Instant swept_{};
};

}  // namespace ipop::sim
