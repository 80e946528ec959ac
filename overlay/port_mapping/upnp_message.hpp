// What UPnP's Internet gateway device says and is told: discovery (SSDP), its description, and
// SOAP calls for port mappings (IGD:1 WANIPConnection §2.4). Text from the network: parsing checks
// everything, and is bounded by the size of what it is given. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "overlay/port_mapping/http_answer.hpp"

namespace ipop::overlay::upnp {

inline constexpr std::uint16_t kSearchPort = 1900;
inline const IpAddress kSearchGroup = IpAddress::v4(0xeffffffa);  // 239.255.255.250

// To be multicast: who is a device of this type?
[[nodiscard]] std::string search_request(std::string_view device);
inline constexpr std::string_view kGateway1 = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
inline constexpr std::string_view kGateway2 = "urn:schemas-upnp-org:device:InternetGatewayDevice:2";

// Where the one who answered keeps its description; an empty path if it is no gateway.
[[nodiscard]] http::Target parse_search_answer(std::string_view datagram);

// One that maps ports.
struct Service {
  std::string type;      // "urn:schemas-upnp-org:service:WANIPConnection:1"
  http::Target control;  // where to call it
};
inline constexpr std::size_t kMostServices = 4;
[[nodiscard]] std::vector<Service> parse_description(std::string_view xml);

using Arguments = std::initializer_list<std::pair<std::string_view, std::string>>;
// Whole HTTP requests. Arguments are not escaped: nothing from outside is ever one.
[[nodiscard]] std::string get_request(const Endpoint& server, std::string_view path);
[[nodiscard]] std::string call_request(const Endpoint& server, const Service& service,
                                       std::string_view action, const Arguments& arguments);

// The text of the first element of this name, whatever its prefix; empty if there is none.
[[nodiscard]] std::string_view element(std::string_view xml, std::string_view name);

// 0 for success, else the error code that the device names, or -1 if it names none.
[[nodiscard]] int result_of(const http::Answer& answer);

}  // namespace ipop::overlay::upnp
