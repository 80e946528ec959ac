#include "overlay/nat/discovery.hpp"

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
