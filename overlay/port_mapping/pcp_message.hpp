// The MAP request of the Port Control Protocol and its answer (RFC 6887). Bytes from the network:
// parsing checks everything. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::overlay::pcp {

inline constexpr std::uint16_t kPort = 5351;

// Who made a mapping: nobody else can change it (§11.1).
using Nonce = std::array<std::uint8_t, 12>;

enum class Code : std::uint8_t {  // §7.4
  kSuccess = 0,
  kUnsupportedVersion = 1,
  kNotAuthorized = 2,
  kMalformedRequest = 3,
  kUnsupportedOpcode = 4,
  kNetworkFailure = 7,
  kNoResources = 8,
  kUnsupportedProtocol = 9,
  kQuotaExceeded = 10,
  kCannotProvideExternal = 11,
  kAddressMismatch = 12,
};

struct MapRequest {
  IpAddress client;  // our address, as the router must see it
  Nonce nonce{};
  std::uint16_t inner_port = 0;
  std::uint16_t outer_port = 0;  // the one we would like; 0 = any
  std::uint32_t life_s = 0;      // 0 removes the mapping
};
// For UDP.
[[nodiscard]] std::array<std::uint8_t, 60> encode_map_request(const MapRequest& request) noexcept;

struct MapAnswer {
  Code code = Code::kSuccess;
  std::uint32_t epoch_s = 0;
  std::uint32_t life_s = 0;  // if it is a refusal: of the refusal
  Endpoint outside;          // if it is a success
};
// Nothing if it is no answer to this request, or damaged. A router that speaks NAT-PMP alone
// answers with an old version's refusal: kUnsupportedVersion.
[[nodiscard]] std::optional<MapAnswer> parse_map_answer(ByteView datagram,
                                                        const MapRequest& request);

}  // namespace ipop::overlay::pcp
