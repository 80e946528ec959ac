// A way to ask the router for a port: what PCP, NAT-PMP and UPnP have in common. Calls block, for a
// few seconds at most, so they are made by the port mapper's thread alone.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

// Where this host's default route goes, IPv4.
struct Route {
  IpAddress gateway;
  IpAddress local;  // what we are called on that link

  friend bool operator==(const Route&, const Route&) = default;
};

enum class MapError : std::uint8_t {
  kNoAnswer,       // nothing there speaks this protocol
  kRefused,        // it does, and will not
  kTaken,          // the outer port belongs to somebody else
  kOnlyPermanent,  // it will, but only without an end
};

struct MapFailure {
  MapError error = MapError::kNoAnswer;
  std::string why;  // a sentence's part: "it refuses: not authorised"
};

struct MapRequest {
  Route route;
  std::uint16_t inner_port = 0;
  std::uint16_t outer_port = 0;
  Duration life{};  // zero: for ever
};

struct Grant {
  Endpoint outside;
  Duration life{};  // as the router says; means nothing where none was asked for
};

class MappingProtocol {
 public:
  MappingProtocol() = default;
  MappingProtocol(const MappingProtocol&) = delete;
  MappingProtocol& operator=(const MappingProtocol&) = delete;
  virtual ~MappingProtocol() = default;

  // "pcp", "nat-pmp", "upnp".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // What to ask for.
  [[nodiscard]] virtual Duration usual_life() const noexcept = 0;
  // Makes a mapping, or prolongs it. What the router says is not judged here.
  [[nodiscard]] virtual std::expected<Grant, MapFailure> map(const MapRequest& request) = 0;
  // The router's outside address; nothing if it no longer has the mapping.
  [[nodiscard]] virtual std::expected<std::optional<IpAddress>, MapFailure> check(
      const MapRequest& request) = 0;
  // Takes kUnmapTime at most, and is not cut short when the thread is to end.
  virtual void unmap(const MapRequest& request) = 0;

  static constexpr Duration kUnmapTime = std::chrono::milliseconds(1000);
};

}  // namespace ipop::overlay
