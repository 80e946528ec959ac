#include "overlay/nat/discovery.hpp"

#include <algorithm>
#include <array>

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
  for (const auto& [address, port, label] : local) {
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
}

bool NatDiscovery::on_datagram(const Endpoint& source, ByteView datagram, Instant now) {
  if (client_.on_response(source, datagram, now)) return true;
  const auto answer = server_.answer(source, datagram, now);
  if (answer) send_(source, *answer);
  return answer.has_value();
}

bool NatDiscovery::is_open() const {
  bool answering[2]{};
  bool silent[2]{};
  for (const auto& each : client_.servers())
    (each.answers ? answering : silent)[each.server.address.is_v4()] = true;
  return std::ranges::any_of(std::array{true, false}, [&](bool v4) {
    const NatMapping mapping = mappings_.mapping(v4);
    const bool translated = mapping != NatMapping::kNone && mapping != NatMapping::kUnknown;
    return !translated && !silent[v4] && (answering[v4] || public_[v4]);
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
