#include "overlay/local_addresses.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "base/fd.hpp"

namespace ipop::overlay {
namespace {

IpAddress address_of(const sockaddr* from) {
  sockaddr_storage storage{};
  std::memcpy(&storage, from,
              from->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  return Endpoint::from_sockaddr(storage).address;
}

// Netmasks are contiguous: the set bits are the prefix length.
std::uint8_t length_of(const sockaddr* netmask, const IpAddress& address) {
  if (netmask == nullptr) return static_cast<std::uint8_t>(address.bits());
  sockaddr_storage storage{};
  std::memcpy(&storage, netmask, address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  storage.ss_family = address.is_v4() ? AF_INET : AF_INET6;
  const IpAddress mask = Endpoint::from_sockaddr(storage).address;
  int bits = 0;
  const std::size_t first = address.is_v4() ? 12 : 0;
  for (std::size_t at = first; at < 16; ++at)
    bits += std::popcount(mask.bytes()[at]);
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

std::vector<Prefix> local_addresses(std::string_view except) {
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(raw, &freeifaddrs);
  std::vector<Prefix> found;
  for (const ifaddrs* entry = raw; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_name == except) continue;
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const IpAddress address = address_of(entry->ifa_addr);
    if (address.is_loopback() || address.is_link_local() || address.is_unspecified()) continue;
    found.push_back({address, length_of(entry->ifa_netmask, address)});
  }
  std::ranges::sort(found);
  const auto doubles = std::ranges::unique(found);
  found.erase(doubles.begin(), doubles.end());
  return found;
}

std::uint16_t link_mtu_towards(const Endpoint& endpoint) {
  constexpr std::uint16_t kEthernet = 1500;
  const bool v4 = endpoint.address.is_v4();
  const Fd probe(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage to{};
  const auto length = static_cast<socklen_t>(endpoint.to_sockaddr(to));
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) {
    return kEthernet;
  }
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const int asked = v4 ? ::getsockopt(probe.get(), IPPROTO_IP, IP_MTU, &mtu, &size)
                       : ::getsockopt(probe.get(), IPPROTO_IPV6, IPV6_MTU, &mtu, &size);
  if (asked != 0 || mtu < 576 || mtu > 65535) return kEthernet;
  return static_cast<std::uint16_t>(mtu);
}

}  // namespace ipop::overlay
