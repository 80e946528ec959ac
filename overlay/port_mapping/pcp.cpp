#include "overlay/port_mapping/pcp.hpp"

#include <sodium.h>

#include <fstream>
#include <iterator>
#include <string>

#include "overlay/port_mapping/gateway_question.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using pcp::Code;

// The same at each start of this machine, or we could not prolong what an earlier run left behind;
// known to nobody else (machine-id(5): a keyed hash of it may leave the machine).
pcp::Nonce nonce_of_machine() {
  pcp::Nonce nonce{};
  std::ifstream file("/etc/machine-id");
  const std::string id{std::istreambuf_iterator<char>(file), {}};
  constexpr std::string_view kUse = "ipop port mapping nonce";
  std::array<std::uint8_t, 32> hash{};
  if (id.size() < 32 ||
      crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const std::uint8_t*>(id.data()),
                         id.size(), reinterpret_cast<const std::uint8_t*>(kUse.data()),
                         kUse.size()) != 0) {
    randombytes_buf(hash.data(), hash.size());
  }
  std::copy_n(hash.begin(), nonce.size(), nonce.begin());
  return nonce;
}

MapFailure refusal(Code code) {
  const auto refused = [](const char* why) {
    return MapFailure{MapError::kRefused, std::string("the gateway refuses: ") + why};
  };
  switch (code) {
    case Code::kUnsupportedVersion:
    case Code::kUnsupportedOpcode:
    case Code::kUnsupportedProtocol:
      return {MapError::kNoAnswer, "the gateway does not speak it"};
    case Code::kNotAuthorized:
      return refused("not authorized");
    case Code::kNetworkFailure:
      return refused("it has no network outside");
    case Code::kNoResources:
    case Code::kQuotaExceeded:
      return refused("out of resources");
    case Code::kAddressMismatch:
      return refused("another NAT is between it and us");
    case Code::kCannotProvideExternal:
      return {MapError::kTaken, "the port belongs to somebody else"};
    default:
      return refused(("code " + std::to_string(static_cast<unsigned>(code))).c_str());
  }
}

}  // namespace

Pcp::Pcp(const StopSignal& stop, std::uint16_t port)
    : stop_(stop), port_(port), nonce_(nonce_of_machine()) {}

pcp::MapRequest Pcp::question(const MapRequest& request) const {
  return {.client = request.route.local,
          .nonce = nonce_,
          .inner_port = request.inner_port,
          .outer_port = request.outer_port,
          .life_s = static_cast<std::uint32_t>(request.life / 1s)};
}

std::expected<pcp::MapAnswer, MapFailure> Pcp::ask(const MapRequest& request,
                                                   const Patience& patience) const {
  const pcp::MapRequest asked = question(request);
  std::optional<pcp::MapAnswer> answer;
  const bool answered = ask_gateway({request.route.gateway, port_}, pcp::encode_map_request(asked),
                                    patience, [&](ByteView datagram) {
                                      answer = pcp::parse_map_answer(datagram, asked);
                                      return answer.has_value();
                                    });
  if (!answered) return std::unexpected(MapFailure{MapError::kNoAnswer, "no answer"});
  if (answer->code != Code::kSuccess) return std::unexpected(refusal(answer->code));
  return *answer;
}

std::expected<Grant, MapFailure> Pcp::map(const MapRequest& request) {
  const auto answer = ask(request, Patience(kPatience, &stop_));
  if (!answer) return std::unexpected(answer.error());
  static_cast<void>(epoch_.restarted(answer->epoch_s, read_monotonic()));
  return Grant{answer->outside, std::chrono::seconds(answer->life_s)};
}

std::expected<std::optional<IpAddress>, MapFailure> Pcp::check(const MapRequest& request) {
  const auto answer = ask(request, Patience(kPatience, &stop_));
  if (!answer) return std::unexpected(answer.error());
  const bool restarted = epoch_.restarted(answer->epoch_s, read_monotonic());
  if (restarted || answer->outside.port != request.outer_port) return std::nullopt;
  return answer->outside.address;
}

void Pcp::unmap(const MapRequest& request) {
  MapRequest none = request;
  none.life = Duration::zero();
  static_cast<void>(ask(none, Patience(kUnmapTime / 2, nullptr)));
}

}  // namespace ipop::overlay
