#include "overlay/port_mapping/upnp.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "overlay/port_mapping/http_exchange.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSearchAgain = 400ms;

// IGD:1 WANIPConnection §2.4.16 and §2.4.18, IGD:2 likewise.
enum Code : int {
  kInvalidArguments = 402,
  kNotAuthorized = 606,
  kNoSuchEntry = 714,
  kConflict = 718,
  kSamePortValuesRequired = 724,
  kOnlyPermanentLeases = 725,
  kNoPortMapsAvailable = 728,
  kConflictWithOtherMechanism = 729,
};

MapFailure failure_of(int code, bool has_end) {
  const auto refused = [&](const char* why) {
    return MapFailure{MapError::kRefused, "the gateway refuses: " + std::string(why) + " (" +
                                              std::to_string(code) + ")"};
  };
  switch (code) {
    case kOnlyPermanentLeases:
      return {MapError::kOnlyPermanent, "it knows permanent leases only"};
    case kInvalidArguments:
      // What some that know only those say instead.
      if (has_end) return {MapError::kOnlyPermanent, "it knows permanent leases only"};
      return refused("invalid arguments");
    case kConflict:
    case kConflictWithOtherMechanism:
      return {MapError::kTaken, "the port is taken"};
    case kNotAuthorized:
      return refused("not authorized");
    case kSamePortValuesRequired:
      return refused("only the same port inside and outside");
    case kNoPortMapsAvailable:
      return refused("it has no port left");
    default:
      return refused("error");
  }
}

void send_search(int socket, const IpAddress& gateway, std::uint16_t port) {
  // Some hear only what is sent to themselves, others only what is sent to the group.
  for (const IpAddress& to : {upnp::kSearchGroup, gateway}) {
    for (const std::string_view device : {upnp::kGateway1, upnp::kGateway2}) {
      const std::string request = upnp::search_request(device);
      sockaddr_storage address{};
      const auto length = static_cast<socklen_t>(Endpoint{to, port}.to_sockaddr(address));
      static_cast<void>(::sendto(socket, request.data(), request.size(), MSG_NOSIGNAL,
                                 reinterpret_cast<const sockaddr*>(&address), length));
    }
  }
}

}  // namespace

http::Target Upnp::search(const IpAddress& gateway) const {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  const Patience patience(kSearchTime, &stop_);
  std::array<char, 2048> buffer;
  while (!patience.over()) {
    send_search(socket.get(), gateway, search_port_);
    const Patience until_next = patience.within(kSearchAgain);
    while (until_next.wait(socket.get(), POLLIN)) {
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      const ssize_t got = ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0,
                                     reinterpret_cast<sockaddr*>(&from), &length);
      if (got <= 0 || Endpoint::from_sockaddr(from).address != gateway) continue;
      http::Target target =
          upnp::parse_search_answer({buffer.data(), static_cast<std::size_t>(got)});
      if (!target.path.empty()) return target;
    }
  }
  return {};
}

bool Upnp::discover(const IpAddress& gateway) {
  const http::Target description = search(gateway);
  return !description.path.empty() && choose(gateway, description);
}

// A router may list several connections of which one is in use: the one that has an address.
bool Upnp::choose(const IpAddress& gateway, const http::Target& description) {
  const Endpoint server{gateway, description.port};
  const auto answer = http::exchange(server, upnp::get_request(server, description.path),
                                     Patience(kCallTime, &stop_));
  if (!answer || answer->status != 200) return false;
  for (upnp::Service& service : upnp::parse_description(answer->body)) {
    const std::uint16_t port = service.control.port != 0 ? service.control.port : description.port;
    Gateway candidate{gateway, port, std::move(service), {}};
    const auto outside = ask_outside(candidate);
    if (!outside) continue;
    candidate.outside = *outside;
    const bool useful = !outside->is_unspecified();
    if (useful || !gateway_) gateway_ = std::move(candidate);
    if (useful) break;
  }
  return gateway_.has_value();
}

std::expected<http::Answer, MapFailure> Upnp::call(const Gateway& gateway, std::string_view action,
                                                   const upnp::Arguments& arguments,
                                                   const Patience& patience) const {
  const Endpoint server{gateway.address, gateway.port};
  auto answer = http::exchange(
      server, upnp::call_request(server, gateway.service, action, arguments), patience);
  if (!answer) return std::unexpected(MapFailure{MapError::kNoAnswer, "no answer"});
  return std::move(*answer);
}

std::expected<IpAddress, MapFailure> Upnp::ask_outside(const Gateway& gateway) const {
  const auto answer = call(gateway, "GetExternalIPAddress", {}, Patience(kCallTime, &stop_));
  if (!answer) return std::unexpected(answer.error());
  if (const int code = upnp::result_of(*answer); code != 0)
    return std::unexpected(failure_of(code, false));
  const auto address = IpAddress::parse(upnp::element(answer->body, "NewExternalIPAddress"));
  // A router without a line says nothing here.
  return address && address->is_v4() ? *address : IpAddress::v4(0);
}

std::expected<Grant, MapFailure> Upnp::map(const MapRequest& request) {
  if (gateway_ && gateway_->address != request.route.gateway) gateway_.reset();
  if (gateway_) {
    const auto outside = ask_outside(*gateway_);
    if (outside) {
      gateway_->outside = *outside;
    } else {
      gateway_.reset();  // it may have moved to another port
    }
  }
  if (!gateway_ && !discover(request.route.gateway))
    return std::unexpected(MapFailure{MapError::kNoAnswer, "no answer"});
  const bool has_end = request.life > Duration::zero();
  const auto answer = call(*gateway_, "AddPortMapping",
                           {{"NewRemoteHost", ""},
                            {"NewExternalPort", std::to_string(request.outer_port)},
                            {"NewProtocol", "UDP"},
                            {"NewInternalPort", std::to_string(request.inner_port)},
                            {"NewInternalClient", request.route.local.to_string()},
                            {"NewEnabled", "1"},
                            {"NewPortMappingDescription", "ipop"},
                            {"NewLeaseDuration", std::to_string(request.life / 1s)}},
                           Patience(kCallTime, &stop_));
  if (!answer) return std::unexpected(answer.error());
  if (const int code = upnp::result_of(*answer); code != 0)
    return std::unexpected(failure_of(code, has_end));
  return Grant{{gateway_->outside, request.outer_port}, request.life};
}

std::expected<std::optional<IpAddress>, MapFailure> Upnp::check(const MapRequest& request) {
  if (!gateway_) return std::nullopt;
  const auto answer = call(*gateway_, "GetSpecificPortMappingEntry",
                           {{"NewRemoteHost", ""},
                            {"NewExternalPort", std::to_string(request.outer_port)},
                            {"NewProtocol", "UDP"}},
                           Patience(kCallTime, &stop_));
  if (!answer) return std::unexpected(answer.error());
  const int code = upnp::result_of(*answer);
  const std::string_view client = upnp::element(answer->body, "NewInternalClient");
  if (code == kNoSuchEntry) return std::nullopt;
  if (code == 0 && !client.empty() && client != request.route.local.to_string())
    return std::nullopt;
  const auto outside = ask_outside(*gateway_);
  if (!outside) return std::unexpected(outside.error());
  return *outside;
}

void Upnp::unmap(const MapRequest& request) {
  if (!gateway_) return;
  static_cast<void>(call(*gateway_, "DeletePortMapping",
                         {{"NewRemoteHost", ""},
                          {"NewExternalPort", std::to_string(request.outer_port)},
                          {"NewProtocol", "UDP"}},
                         Patience(kUnmapTime, nullptr)));
}

}  // namespace ipop::overlay
