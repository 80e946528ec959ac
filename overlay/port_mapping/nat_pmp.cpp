#include "overlay/port_mapping/nat_pmp.hpp"

#include "overlay/port_mapping/gateway_question.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using nat_pmp::Code;

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

std::expected<nat_pmp::AddressAnswer, MapFailure> NatPmp::ask_address(
    const IpAddress& gateway) const {
  std::optional<nat_pmp::AddressAnswer> answer;
  const auto request = nat_pmp::encode_address_request();
  const bool answered =
      ask_gateway({gateway, port_}, request, Patience(kPatience, &stop_), [&](ByteView datagram) {
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
  const bool answered =
      ask_gateway({gateway, port_}, bytes, Patience(kPatience, &stop_), [&](ByteView datagram) {
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
      ask_gateway({request.route.gateway, port_}, bytes, Patience(kUnmapTime / 2, nullptr),
                  [&](ByteView datagram) {
                    return nat_pmp::parse_map_answer(datagram, request.inner_port).has_value();
                  }));
}

}  // namespace ipop::overlay
