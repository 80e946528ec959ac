#include "kni/host_link.hpp"
#include "kni/derived_mac.hpp"

#include <net/if.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

namespace ipop::kni {
namespace {

// Enough for the lcore to be away for some milliseconds at full rate.
constexpr std::uint32_t kQueueLength = 1000;

// Bytes of a super-packet: with the headers and tags of its segments it still fits one datagram
// train of 64 KiB, at the packet sizes of every common path.
constexpr std::uint32_t kLargestSuper = 61440;

constexpr auto kPatience = std::chrono::seconds(2);
constexpr auto kPause = std::chrono::microseconds(200);

// The value, or an exception that says on whose behalf it failed.
template <typename T>
T must(Result<T> result, const std::string& context) {
  if (!result) throw std::runtime_error(result.error().within(context).message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

const IpAddress& first_address(const HostLinkSettings& settings) {
  if (settings.addresses.empty()) {
    throw std::runtime_error(settings.name + ": an interface without an address is of no use");
  }
  return settings.addresses.front().address;
}

bool overlap(const Prefix& a, const Prefix& b) {
  return a.contains(b.address) || b.contains(a.address);
}

bool has_ipv6(const std::vector<Prefix>& addresses) {
  return std::ranges::any_of(addresses, [](const Prefix& p) { return !p.address.is_v4(); });
}

// Not every container may write here, and the interface works without: peers' packets are checked
// by the engine before the host sees them.
void write_setting(const std::string& path, const char* value) {
  std::ofstream(path) << value;
}

// Nobody advertises or redirects on this interface, so the kernel shall neither believe nor send
// such things.
void quieten(const std::string& name, bool enable_ipv6) {
  const std::string ipv4 = "/proc/sys/net/ipv4/conf/" + name;
  const std::string ipv6 = "/proc/sys/net/ipv6/conf/" + name;
  write_setting(ipv4 + "/accept_redirects", "0");
  write_setting(ipv4 + "/send_redirects", "0");
  write_setting(ipv6 + "/accept_redirects", "0");
  write_setting(ipv6 + "/accept_ra", "0");
  // Many containers start with IPv6 off; whoever configures an IPv6 address wants it here.
  if (enable_ipv6) write_setting(ipv6 + "/disable_ipv6", "0");
}

}  // namespace

HostLink::HostLink(const HostLinkSettings& settings)
    : settings_(settings),
      mac_(derived_mac(first_address(settings))),
      netlink_(must(Netlink::connect(), settings.name)) {
  refuse_conflicts();
  tap_ = must(create_tap(settings_.name, settings_.queues), "host interface");
  link_ = static_cast<int>(if_nametoindex(settings_.name.c_str()));
  if (link_ == 0) throw std::runtime_error(settings_.name + " vanished while it was set up");
  set_up(link_);
}

void HostLink::refuse_conflicts() {
  for (const HostAddress& other : must(netlink_.addresses(), settings_.name)) {
    // A leftover of our own name is about to be replaced.
    if (other.link == settings_.name) continue;
    for (const Prefix& own : settings_.addresses) {
      if (own.address == other.prefix.address) {
        throw std::runtime_error(settings_.name + ": " + own.address.to_string() +
                                 " is already an address of " + other.link +
                                 ": choose another address");
      }
      if (overlap(own, other.prefix)) {
        throw std::runtime_error(settings_.name + ": the subnet " + own.masked().to_string() +
                                 " overlaps " + other.prefix.to_string() + " of " + other.link +
                                 ": choose another subnet");
      }
    }
  }
}

void HostLink::set_up(int link) {
  const bool ipv6 = has_ipv6(settings_.addresses);
  must(netlink_.configure(link, {mac_, settings_.mtu, kQueueLength}), settings_.name);
  must(netlink_.limit_super_packets(link, kLargestSuper), settings_.name);
  quieten(settings_.name, ipv6);
  Result<void> generation = netlink_.disable_address_generation(link);
  if (ipv6) must(std::move(generation), settings_.name);
  must(netlink_.bring_up(link), settings_.name);
  for (const Prefix& address : settings_.addresses) {
    must(netlink_.add_address(link, address), settings_.name);
  }
  for (const Prefix& address : settings_.addresses)
    wait_until_usable(address.address);
}

// An IPv6 address gets the route that delivers to it from a work queue of the kernel, also without
// duplicate detection. Until then answers to the host's first questions would be lost, and a first
// packet would wait a second for the next question. It takes well under a millisecond, mostly.
void HostLink::wait_until_usable(const IpAddress& address) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!netlink_.delivers_to(address)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(settings_.name + ": the kernel does not take up " +
                               address.to_string());
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<void> HostLink::add_route(const Prefix& prefix) {
  const Prefix route = prefix.masked();
  if (routes_.contains(route)) return {};
  if (route.length == 0) {
    return fail(settings_.name + ": a default route is not carried: " + route.to_string());
  }
  const bool speaks = std::ranges::any_of(settings_.addresses, [&](const Prefix& own) {
    return own.address.is_v4() == route.address.is_v4();
  });
  if (!speaks) {
    return fail(settings_.name + " has no address of the family of " + route.to_string());
  }
  const bool in_own_subnet = std::ranges::any_of(settings_.addresses, [&](const Prefix& own) {
    return own.length <= route.length && own.contains(route.address);
  });
  if (in_own_subnet) return {};
  const Result<bool> added = netlink_.add_route(link_, route);
  if (!added) return std::unexpected(added.error().within(settings_.name));
  if (!*added) return fail(settings_.name + ": this host already routes " + route.to_string());
  routes_.insert(route);
  return {};
}

Result<void> HostLink::remove_route(const Prefix& prefix) {
  const Prefix route = prefix.masked();
  if (!routes_.contains(route)) return {};
  Result<void> removed = netlink_.remove_route(link_, route);
  if (!removed) return std::unexpected(removed.error().within(settings_.name));
  routes_.erase(route);
  return {};
}

std::vector<IpAddress> HostLink::own_addresses() const {
  std::vector<IpAddress> own;
  for (const Prefix& prefix : settings_.addresses)
    own.push_back(prefix.address);
  return own;
}

}  // namespace ipop::kni
