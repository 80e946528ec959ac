#include "overlay/port_mapping/nat_pmp.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using nat_pmp::Code;

constexpr Duration kFirstTimeout = 250ms;  // doubles (RFC 6886 §3.1)

// Of a socket that only the router's own answers reach.
Fd connect_to(const Endpoint& endpoint) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage to{};
  const auto length = static_cast<socklen_t>(endpoint.to_sockaddr(to));
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0)
    socket.reset();
  return socket;
}

MapFailure refusal(Code code) {
  switch (code) {
    case Code::kNotAuthorized:
      return {MapError::kRefused, "the gateway refuses: not authorized"};
    case Code::kNetworkFailure:
      return {MapError::kRefused, "the gateway refuses: it has no network outside"};
    case Code::kOutOfResources:
      return {MapError::kRefused, "the gateway refuses: out of resources"};
    case Code::kUnsupportedVersion:
    case Code::kUnsupportedOpcode:
      return {MapError::kNoAnswer, "the gateway does not speak it"};
    case Code::kSuccess:
      break;
  }
  return {MapError::kRefused,
          "the gateway refuses: code " + std::to_string(static_cast<unsigned>(code))};
}

MapFailure silence() {
  return {MapError::kNoAnswer, "no answer"};
}

}  // namespace

template <typename Take>
bool NatPmp::ask(const IpAddress& gateway, ByteView request, const Patience& patience,
                 Take take) const {
  const Fd socket = connect_to({gateway, port_});
  if (!socket) return false;
  std::array<std::uint8_t, 64> buffer;
  for (Duration timeout = kFirstTimeout; timeout <= 4 * kFirstTimeout; timeout *= 2) {
    if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return false;
    const Patience until_next = patience.within(timeout);
    while (until_next.wait(socket.get(), POLLIN)) {
      const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
      // An ICMP error: nobody is there.
      if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (got > 0 && take(ByteView(buffer.data(), static_cast<std::size_t>(got)))) return true;
    }
    if (patience.over()) return false;
  }
  return false;
}

std::expected<nat_pmp::AddressAnswer, MapFailure> NatPmp::ask_address(
    const IpAddress& gateway) const {
  std::optional<nat_pmp::AddressAnswer> answer;
  const auto request = nat_pmp::encode_address_request();
  const bool answered = ask(gateway, request, Patience(kPatience, &stop_), [&](ByteView datagram) {
    answer = nat_pmp::parse_address_answer(datagram);
    return answer.has_value();
  });
  if (!answered) return std::unexpected(silence());
  if (answer->code != Code::kSuccess) return std::unexpected(refusal(answer->code));
  return *answer;
}

std::expected<Grant, MapFailure> NatPmp::map(const MapRequest& request) {
  const IpAddress& gateway = request.route.gateway;
  const auto outside = ask_address(gateway);
  if (!outside) return std::unexpected(outside.error());
  std::optional<nat_pmp::MapAnswer> answer;
  const auto life_s = static_cast<std::uint32_t>(request.life / 1s);
  const auto bytes = nat_pmp::encode_map_request(request.inner_port, request.outer_port, life_s);
  const bool answered = ask(gateway, bytes, Patience(kPatience, &stop_), [&](ByteView datagram) {
    answer = nat_pmp::parse_map_answer(datagram, request.inner_port);
    return answer.has_value();
  });
  if (!answered) return std::unexpected(silence());
  if (answer->code != Code::kSuccess) return std::unexpected(refusal(answer->code));
  static_cast<void>(epoch_.restarted(answer->epoch_s, read_monotonic()));
  return Grant{{outside->outside, answer->outer_port}, std::chrono::seconds(answer->life_s)};
}

std::expected<std::optional<IpAddress>, MapFailure> NatPmp::check(const MapRequest& request) {
  const auto answer = ask_address(request.route.gateway);
  if (!answer) return std::unexpected(answer.error());
  if (epoch_.restarted(answer->epoch_s, read_monotonic())) return std::nullopt;
  return answer->outside;
}

void NatPmp::unmap(const MapRequest& request) {
  const auto bytes = nat_pmp::encode_map_request(request.inner_port, 0, 0);
  static_cast<void>(
      ask(request.route.gateway, bytes, Patience(kUnmapTime / 2, nullptr), [&](ByteView datagram) {
        return nat_pmp::parse_map_answer(datagram, request.inner_port).has_value();
      }));
}

}  // namespace ipop::overlay
