#include "overlay/port_mapping/mapping_keeper.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

constexpr const char* kNobody = "no gateway answers";

// A router's outer port that is not free here may be so there: the next ones, without wrapping.
std::uint16_t other_port(std::uint16_t port, unsigned attempt) noexcept {
  return static_cast<std::uint16_t>(
      port <= UINT16_MAX - MappingKeeper::kOtherPorts ? port + attempt : port - attempt);
}

// What is no grant at all, whatever the router calls it; null if it is one.
const char* why_not_granted(const Grant& grant, const MapRequest& request) noexcept {
  if (grant.outside.port == 0) return "it grants port 0, which cannot be";
  if (request.life > Duration::zero() && grant.life <= Duration::zero())
    return "it grants a port for no time";
  return nullptr;
}

}  // namespace

std::string why_not_outside(const IpAddress& address) {
  if (address.is_private())
    return "its outside, " + address.to_string() + ", is private: another NAT is behind it";
  const bool odd = !address.is_v4() || address.is_loopback() || address.is_multicast() ||
                   address.is_link_local() || address.v4() >> 24 == 0 || address.v4() >> 28 == 0xf;
  return odd ? "it says that its outside is " + address.to_string() + ", which cannot be" : "";
}

MappingKeeper::MappingKeeper(std::vector<MappingProtocol*> protocols, std::uint16_t port)
    : protocols_(std::move(protocols)), port_(port) {
  state_.why = "not asked yet";
}

void MappingKeeper::set_route(const std::optional<Route>& route, Instant now) {
  if (std::exchange(started_, true) && route == route_) {
    if (held_) {
      held_->check_at = std::min(held_->check_at, std::max(now, held_->checked + kSoon));
      due_ = std::min(due_, held_->check_at);
    } else if (due_ != Instant::max()) {
      failures_ = 0;
      due_ = std::min(due_, std::max(now, asked_ + kFirstPause));
    }
    return;
  }
  // The same router, but it knows us by an address that is gone: let go of the port there.
  if (held_ && route && route->gateway == held_->request.route.gateway) release();
  held_.reset();
  failures_ = 0;
  route_ = route;
  due_ = Instant::max();
  state_ = {};
  if (!route) {
    state_.why = "there is no default route, and so no router to ask";
  } else if (why_not_outside(route->local).empty()) {
    state_.why = "no need: the own address, " + route->local.to_string() + ", is public";
  } else {
    state_.why = "asking";
    due_ = now;
  }
}

void MappingKeeper::service(Instant now) {
  if (now < due_) return;
  if (!held_) return ask(now);
  if (now >= held_->renew_at) {
    renew(now);
  } else if (now >= held_->check_at) {
    check(now);
  }
  if (held_) due_ = std::min(held_->renew_at, held_->check_at);
  tell();
}

void MappingKeeper::ask(Instant now) {
  asked_ = now;
  MapFailure failure{MapError::kNoAnswer, kNobody};
  for (MappingProtocol* protocol : protocols_) {
    auto made = ask_by(*protocol, now);
    if (made) {
      held_ = std::move(*made);
      failures_ = 0;
      due_ = std::min(held_->renew_at, held_->check_at);
      return tell();
    }
    // A refusal says more than silence.
    if (failure.error == MapError::kNoAnswer && made.error().error != MapError::kNoAnswer)
      failure = {made.error().error, std::string(protocol->name()) + ": " + made.error().why};
  }
  state_ = {.why = std::move(failure.why)};
  due_ = now + std::min<Duration>(kFirstPause * (1u << std::min(failures_, 8u)), kLongestPause);
  ++failures_;
}

std::expected<MappingKeeper::Held, MapFailure> MappingKeeper::ask_by(MappingProtocol& protocol,
                                                                     Instant now) {
  Held held{.protocol = &protocol,
            .request = {.route = *route_,
                        .inner_port = port_,
                        .outer_port = port_,
                        .life = protocol.usual_life()}};
  const auto grant = try_ports(protocol, held.request);
  if (!grant) return std::unexpected(grant.error());
  if (const char* why = why_not_granted(*grant, held.request))
    return std::unexpected(MapFailure{MapError::kRefused, why});
  held.request.outer_port = grant->outside.port;
  held.outside = grant->outside.address;
  begin_life(held, grant->life, now);
  return held;
}

std::expected<Grant, MapFailure> MappingKeeper::try_ports(MappingProtocol& protocol,
                                                          MapRequest& request) const {
  for (unsigned attempt = 0; attempt <= kOtherPorts; ++attempt) {
    request.outer_port = other_port(port_, attempt);
    auto grant = protocol.map(request);
    if (!grant && grant.error().error == MapError::kOnlyPermanent &&
        request.life > Duration::zero()) {
      request.life = Duration::zero();
      grant = protocol.map(request);
    }
    if (grant || grant.error().error != MapError::kTaken) return grant;
  }
  return std::unexpected(MapFailure{MapError::kRefused, "port " + std::to_string(port_) +
                                                            " and its neighbours are "
                                                            "taken by others"});
}

void MappingKeeper::begin_life(Held& held, Duration life, Instant now) {
  held.checked = now;
  held.check_at = now + kCheckEvery;
  held.unanswered = 0;
  held.renew_at = held.expires_at = Instant::max();
  if (held.request.life == Duration::zero()) return;
  // However short the router says it is: it shall not keep us busy. However long: no longer than
  // we asked for.
  life = std::clamp<Duration>(life, kShortestLife, held.request.life);
  held.renew_at = now + life / 2;
  held.expires_at = now + life;
}

void MappingKeeper::renew(Instant now) {
  const auto grant = held_->protocol->map(held_->request);
  if (!grant && grant.error().error == MapError::kNoAnswer && now < held_->expires_at)
    return on_silence(now);
  if (!grant || why_not_granted(*grant, held_->request)) return lose(now);
  held_->request.outer_port = grant->outside.port;
  held_->outside = grant->outside.address;
  begin_life(*held_, grant->life, now);
}

void MappingKeeper::check(Instant now) {
  const auto found = held_->protocol->check(held_->request);
  if (!found) return on_silence(now);
  if (!*found) return lose(now);
  held_->outside = **found;
  held_->unanswered = 0;
  held_->checked = now;
  held_->check_at = now + kCheckEvery;
}

void MappingKeeper::on_silence(Instant now) {
  if (++held_->unanswered == kMostUnanswered) return lose(now);
  held_->check_at = now + kCheckAgain;
  if (held_->renew_at <= now) held_->renew_at = std::min(held_->expires_at, held_->check_at);
}

// It is gone, and so it is asked for anew, at once.
void MappingKeeper::lose(Instant now) {
  held_.reset();
  ask(now);
}

void MappingKeeper::tell() {
  if (!held_) return;
  state_ = {.protocol = std::string(held_->protocol->name()),
            .outside = Endpoint{held_->outside, held_->request.outer_port},
            .why = why_not_outside(held_->outside)};
  if (held_->expires_at != Instant::max()) state_.expires = held_->expires_at;
}

void MappingKeeper::release() {
  if (held_) held_->protocol->unmap(held_->request);
  held_.reset();
  state_ = {.why = "given back"};
}

}  // namespace ipop::overlay
