// What the router does for us: the UDP port that it forwards, or why there is none. A value, made
// by the port mapper's thread and handed to the overlay's.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

struct PortMapping {
  std::string protocol;             // "nat-pmp", "upnp"; empty: nothing is mapped
  std::optional<Endpoint> outside;  // at the router
  std::optional<Instant> expires;   // if it is not renewed; nothing: never
  std::string why;                  // nothing is mapped, or it is of no use to others

  // Others may be told of it.
  [[nodiscard]] bool usable() const noexcept { return outside && why.empty(); }
  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

}  // namespace ipop::overlay
