// What a client asks of the daemon: one JSON object on one line, such as {"command":"status"}.
// Pure: bytes in, a request or one clear sentence out.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/ip.hpp"

namespace ipop::overlay::control {

inline constexpr unsigned kMaxPingCount = 10'000;

struct StatusRequest {};
struct VersionRequest {};
struct StopRequest {};
struct ReloadRequest {};
struct PeerRequest {
  std::string who;  // an inner address, a hostname, or the first digits of a node id
};
struct PingRequest {
  IpAddress address;   // inner
  unsigned count = 4;  // 1 to kMaxPingCount
};

using Request = std::variant<StatusRequest, VersionRequest, StopRequest, ReloadRequest, PeerRequest,
                             PingRequest>;

// Keys that a command does not know are ignored.
[[nodiscard]] Result<Request> parse_request(std::string_view line);

}  // namespace ipop::overlay::control
