#include "app/kernel_interface.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "base/text.hpp"

namespace ipop::app {
namespace {

constexpr unsigned kGatewayFlag = 2;  // RTF_GATEWAY

std::uint8_t prefix_length(const sockaddr* mask, bool v4) {
  const std::uint8_t* const bytes =
      v4 ? reinterpret_cast<const std::uint8_t*>(
               &reinterpret_cast<const sockaddr_in*>(mask)->sin_addr)
         : reinterpret_cast<const std::uint8_t*>(
               &reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr);
  unsigned bits = 0;
  for (std::size_t i = 0; i < (v4 ? 4u : 16u); ++i)
    bits += static_cast<unsigned>(std::popcount(bytes[i]));
  return static_cast<std::uint8_t>(bits);
}

std::vector<Prefix> addresses_of(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  std::vector<Prefix> found;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_netmask == nullptr || name != each->ifa_name) {
      continue;
    }
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, each->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress address = Endpoint::from_sockaddr(storage).address;
    const bool has_family = std::ranges::any_of(
        found, [&](const Prefix& one) { return one.address.is_v4() == address.is_v4(); });
    if (address.is_link_local() || has_family) continue;
    found.push_back({address, prefix_length(each->ifa_netmask, family == AF_INET)});
  }
  return found;
}

// /proc/net/route: interface, destination, gateway, flags, references, uses, metric, mask; the
// words as memory holds them, in hexadecimal.
std::optional<IpAddress> gateway_v4(const std::string& name, const std::filesystem::path& proc) {
  std::ifstream file(proc / "net/route");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string interface;
    std::uint32_t destination = 0;
    std::uint32_t gateway = 0;
    unsigned flags = 0;
    std::string references, uses, metric;
    std::uint32_t mask = 0;
    if (!(words >> interface >> std::hex >> destination >> gateway >> flags >> references >> uses >>
          metric >> mask) ||
        interface != name || destination != 0 || mask != 0 || (flags & kGatewayFlag) == 0) {
      continue;
    }
    std::uint8_t bytes[4];
    std::memcpy(bytes, &gateway, sizeof bytes);
    return IpAddress::v4_at(bytes);
  }
  return std::nullopt;
}

// /proc/net/ipv6_route: destination, its length, source, its length, next hop, metric, references,
// uses, flags, interface.
std::optional<IpAddress> gateway_v6(const std::string& name, const std::filesystem::path& proc) {
  std::ifstream file(proc / "net/ipv6_route");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string destination, length, source, source_length, next_hop, metric, references, uses,
        flags, interface;
    if (!(words >> destination >> length >> source >> source_length >> next_hop >> metric >>
          references >> uses >> flags >> interface) ||
        interface != name || length != "00" ||
        (std::strtoul(flags.c_str(), nullptr, 16) & kGatewayFlag) == 0) {
      continue;
    }
    const auto bytes = from_hex(next_hop);
    if (!bytes || bytes->size() != 16) continue;
    return IpAddress::v6_at(bytes->data());
  }
  return std::nullopt;
}

}  // namespace

KernelInterface read_kernel_interface(const std::string& name, const std::filesystem::path& proc) {
  KernelInterface found{.addresses = addresses_of(name), .gateways = {}};
  for (const Prefix& own : found.addresses) {
    const auto gateway = own.address.is_v4() ? gateway_v4(name, proc) : gateway_v6(name, proc);
    if (gateway) found.gateways.push_back(*gateway);
  }
  return found;
}

}  // namespace ipop::app
