#include "overlay/nat/stun_servers.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kAgain = 10min;
constexpr Duration kAfterFailure = 15s;

}  // namespace

StunServers::StunServers(std::vector<conf::HostPort> names, Resolver::Lookup lookup)
    : resolver_(std::move(lookup)) {
  for (conf::HostPort& name : names)
    servers_.push_back({.name = std::move(name), .endpoints = {}});
}

std::vector<Endpoint> StunServers::endpoints(Instant now) {
  for (Server& server : servers_) {
    if (now >= server.next && resolver_.start(server.name)) server.next = now + kAgain;
  }
  for (Resolver::Answer& answer : resolver_.take()) {
    const auto at = std::ranges::find(servers_, answer.asked, &Server::name);
    if (at == servers_.end()) continue;
    if (answer.endpoints) {
      at->endpoints = std::move(*answer.endpoints);
      at->warned = false;
    } else {
      if (!std::exchange(at->warned, true))
        log::warning("STUN server: {}", answer.endpoints.error().message);
      at->next = now + kAfterFailure;
    }
  }
  std::vector<Endpoint> all;
  for (const Server& server : servers_)
    all.insert(all.end(), server.endpoints.begin(), server.endpoints.end());
  return all;
}

}  // namespace ipop::overlay
