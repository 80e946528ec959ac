#include "overlay/nat/discovery.hpp"

#include <algorithm>

namespace ipop::overlay {
namespace {

constexpr Duration kAskAgainEvery = std::chrono::seconds(2);

}  // namespace

NatDiscovery::NatDiscovery(stun::Client::Send send, std::function<void(Instant)> on_change)
    : send_(send),
      on_change_(std::move(on_change)),
      client_(std::move(send), [this](const Endpoint& server, const Endpoint& mapped, Instant now) {
        (void)observe(Mappings::Observer::kServer, server, mapped, now);
      }) {}

void NatDiscovery::set_local(std::vector<Endpoint> local, Instant now) {
  std::ranges::fill(public_, false);
  for (const Endpoint& each : local) {
    const IpAddress& address = each.address;
    const bool hidden = address.is_private() || address.is_loopback() || address.is_link_local();
    if (!hidden) public_[address.is_v4()] = true;
  }
  if (!mappings_.set_local(std::move(local))) return;
  client_.restart(now);
  on_change_(now);
}

void NatDiscovery::set_servers(const std::vector<Endpoint>& servers, Instant now) {
  client_.set_servers(servers, now);
}

void NatDiscovery::ask_again(Instant now) {
  if (now - asked_again_ < kAskAgainEvery) return;
  asked_again_ = now;
  client_.restart(now);
}

void NatDiscovery::service(Instant now) {
  client_.service(now);
  if (mappings_.expire(now)) on_change_(now);
  tell_if_open_changed(now);
}

void NatDiscovery::tell_if_open_changed(Instant now) {
  const bool open = is_open();
  const bool open_to_all = is_open_to_all();
  if (open == was_open_ && open_to_all == was_open_to_all_) return;
  was_open_ = open;
  was_open_to_all_ = open_to_all;
  on_change_(now);
}

bool NatDiscovery::on_datagram(const Endpoint& source, ByteView datagram, Instant now) {
  if (client_.on_response(source, datagram, now)) {
    tell_if_open_changed(now);
    return true;
  }
  const auto answer = server_.answer(source, datagram, now);
  if (answer) send_(source, *answer);
  return answer.has_value();
}

bool NatDiscovery::is_open(bool v4) const {
  const NatMapping mapping = mappings_.mapping(v4);
  if (mapping == NatMapping::kUnknown) return public_[v4];
  return mapping == NatMapping::kNone && (public_[v4] || mappings_.seen_by_server(v4));
}

bool NatDiscovery::is_open() const {
  return is_open(true) || is_open(false);
}

bool NatDiscovery::is_open_to_all() const {
  // Some have nothing but IPv4.
  return is_open(true) && std::ranges::none_of(client_.servers(), [](const auto& each) {
           return each.silent && each.server.address.is_v4();
         });
}

void NatDiscovery::on_observed(const Endpoint& by, const Endpoint& mapped, Instant now) {
  if (now - peers_changed_ < kPeersChangeEvery) return;
  if (observe(Mappings::Observer::kPeer, by, mapped, now)) peers_changed_ = now;
}

bool NatDiscovery::observe(Mappings::Observer kind, const Endpoint& by, const Endpoint& mapped,
                           Instant now) {
  const bool changed = mappings_.observe(kind, by, mapped, now);
  if (changed) on_change_(now);
  return changed;
}

}  // namespace ipop::overlay
