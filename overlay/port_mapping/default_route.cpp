#include "overlay/port_mapping/default_route.hpp"

#include <linux/route.h>
#include <sys/socket.h>

#include <bit>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "base/fd.hpp"

namespace ipop::overlay {
namespace {

constexpr std::uint16_t kAnyPort = 9;  // nothing is sent there

// What we are called when we send there.
std::optional<IpAddress> local_towards(const IpAddress& address) {
  const Fd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage to{};
  const auto length = static_cast<socklen_t>(Endpoint{address, kAnyPort}.to_sockaddr(to));
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0 ||
      ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&from), &size) != 0) {
    return std::nullopt;
  }
  return Endpoint::from_sockaddr(from).address;
}

}  // namespace

std::optional<IpAddress> default_gateway(std::string_view table, std::string_view except) {
  std::istringstream lines{std::string(table)};
  std::string line;
  std::getline(lines, line);  // the names of the columns
  std::optional<IpAddress> found;
  std::uint32_t best = std::numeric_limits<std::uint32_t>::max();
  while (std::getline(lines, line)) {
    std::istringstream columns(line);
    std::string interface;
    std::uint32_t destination = 0, gateway = 0, flags = 0, ignored = 0, metric = 0, mask = 0;
    columns >> interface >> std::hex >> destination >> gateway >> flags >> std::dec >> ignored >>
        ignored >> metric >> std::hex >> mask;
    if (!columns || interface == except || destination != 0 || mask != 0) continue;
    if ((flags & (RTF_UP | RTF_GATEWAY)) != (RTF_UP | RTF_GATEWAY)) continue;
    if (found && metric >= best) continue;
    best = metric;
    // The kernel prints the word as it lies in memory.
    found =
        IpAddress::v4(std::endian::native == std::endian::little ? swap_bytes(gateway) : gateway);
  }
  return found;
}

std::optional<Route> default_route(std::string_view except) {
  std::ifstream file("/proc/net/route");
  std::ostringstream table;
  table << file.rdbuf();
  const auto gateway = default_gateway(table.str(), except);
  if (!gateway) return std::nullopt;
  const auto local = local_towards(*gateway);
  if (!local || local->is_unspecified()) return std::nullopt;
  return Route{*gateway, *local};
}

}  // namespace ipop::overlay
