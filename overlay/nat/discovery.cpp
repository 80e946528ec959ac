#include "overlay/nat/discovery.hpp"

#include <algorithm>

namespace ipop::overlay {
namespace {

constexpr Duration kAskAgainEvery = std::chrono::seconds(2);
constexpr unsigned kMostAttempts = 3;  // at what a NAT lets in
constexpr Duration kAttemptEvery = std::chrono::seconds(30);
constexpr Duration kOtherSocketFor = std::chrono::seconds(60);

}  // namespace

NatDiscovery::NatDiscovery(stun::Client::Send send, std::function<void(Instant)> on_change,
                           engine::WireSockets* sockets)
    : sockets_(sockets),
      send_(send),
      on_change_(std::move(on_change)),
      client_(send,
              [this](const Endpoint& server, const Endpoint& mapped, Instant now) {
                (void)observe(Mappings::Observer::kServer, server, mapped, now);
              }),
      server_(sockets != nullptr),
      filtering_(sockets, std::move(send)) {}

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
  filtering_.service(now);
  discover_filtering(now);
  if (other_socket_ != 0 && now - other_socket_used_ >= kOtherSocketFor)
    sockets_->close_socket(std::exchange(other_socket_, std::uint16_t{0}));
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

Instant NatDiscovery::deadline() const noexcept {
  return std::min(client_.deadline(), filtering_.deadline().value_or(Instant::max()));
}

// Once for each NAT that we are behind, by two servers that see us at the same address.
void NatDiscovery::discover_filtering(Instant now) {
  if (sockets_ == nullptr || filtering_.running()) return;
  const NatMapping mapping = mappings_.mapping(true);
  if (mapping == NatMapping::kUnknown || mapping == NatMapping::kNone) {
    if (filtering_behind_) filtering_.forget();
    filtering_behind_.reset();
    return;
  }
  std::vector<stun::Client::ServerStatus> servers = client_.servers();
  std::erase_if(servers, [](const auto& each) {
    return !each.answers || !each.server.address.is_v4() || each.mapped.port == 0;
  });
  if (servers.empty()) return;
  const auto& near = servers.front();
  const auto other = std::ranges::find_if(servers, [&](const auto& each) {
    return each.server.address != near.server.address && each.mapped.address == near.mapped.address;
  });
  if (other == servers.end()) return;
  if (filtering_behind_ != near.mapped.address) {
    filtering_behind_ = near.mapped.address;
    filtering_attempts_ = 0;
    next_filtering_ = now;
    filtering_.forget();
  }
  const bool known = filtering_.filtering() != NatFiltering::kUnknown;
  if (known || filtering_attempts_ == kMostAttempts || now < next_filtering_) return;
  ++filtering_attempts_;
  next_filtering_ = now + kAttemptEvery;
  filtering_.start(near.server, other->server, now);
}

void NatDiscovery::send(const stun::Server::Answer& answer, Instant now) {
  Endpoint to = answer.to;
  if (answer.from_other_port) {
    if (other_socket_ == 0) {
      const auto opened = sockets_->open_socket();
      if (!opened) return;
      other_socket_ = *opened;
    }
    other_socket_used_ = now;
    to.socket = other_socket_;
  }
  send_(to, answer.message);
}

bool NatDiscovery::on_datagram(const Endpoint& source, ByteView datagram, Instant now) {
  if (filtering_.on_response(source, datagram, now)) return true;
  if (client_.on_response(source, datagram, now)) {
    tell_if_open_changed(now);
    return true;
  }
  const auto answer = server_.answer(source, datagram, now);
  if (answer) send(*answer, now);
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
