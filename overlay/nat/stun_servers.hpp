// The STUN servers of the configuration, by name, as endpoints. Names are asked for again now and
// then, and sooner when that failed. Overlay thread; names are looked up by the resolver's threads.
#pragma once

#include <vector>

#include "base/clock.hpp"
#include "overlay/directory/resolver.hpp"

namespace ipop::overlay {

class StunServers {
 public:
  explicit StunServers(std::vector<conf::HostPort> names,
                       Resolver::Lookup lookup = Resolver::ask_system);

  // All that are known by now, in the order of the configuration.
  [[nodiscard]] std::vector<Endpoint> endpoints(Instant now);

 private:
  struct Server {
    conf::HostPort name;
    std::vector<Endpoint> endpoints;
    Instant next{};       // when to ask for its name
    bool warned = false;  // that it has none, since it had one
  };

  Resolver resolver_;
  std::vector<Server> servers_;
};

}  // namespace ipop::overlay
