#include "kni/netlink.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>

#include <new>
#include <optional>
#include <utility>

namespace ipop::kni {
namespace {

template <auto Release>
struct Releaser {
  template <typename T>
  void operator()(T* object) const noexcept {
    Release(object);
  }
};

template <typename T, auto Release>
using Handle = std::unique_ptr<T, Releaser<Release>>;

using Address = Handle<nl_addr, nl_addr_put>;
using Cache = Handle<nl_cache, nl_cache_free>;
using Link = Handle<rtnl_link, rtnl_link_put>;
using LinkAddress = Handle<rtnl_addr, rtnl_addr_put>;
using Message = Handle<nl_msg, nlmsg_free>;
using Route = Handle<rtnl_route, rtnl_route_put>;

// libnl's allocators give null when memory is out, and so does everything built on it.
template <typename HandleType, typename T>
HandleType own(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return HandleType(object);
}

std::unexpected<Error> fail_netlink(std::string_view what, int code) {
  return fail(std::string(what) + ": " + nl_geterror(code));
}

Result<void> done(std::string_view what, int code) {
  if (code < 0) return fail_netlink(what, code);
  return {};
}

int family(const Prefix& prefix) {
  return prefix.address.is_v4() ? AF_INET : AF_INET6;
}

Address to_netlink(const Prefix& prefix) {
  const IpAddress::Bytes& bytes = prefix.address.bytes();
  const bool v4 = prefix.address.is_v4();
  Address address = own<Address>(v4 ? nl_addr_build(AF_INET, &bytes[12], 4)
                                    : nl_addr_build(AF_INET6, &bytes, 16));
  nl_addr_set_prefixlen(address.get(), prefix.length);
  return address;
}

// Nothing for an address that is not IP.
std::optional<Prefix> from_netlink(const nl_addr* address, int length) {
  if (address == nullptr) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(address));
  const auto bits = static_cast<std::uint8_t>(length);
  switch (nl_addr_get_family(address)) {
    case AF_INET:
      return Prefix{IpAddress::v4_at(bytes), bits};
    case AF_INET6:
      return Prefix{IpAddress::v6_at(bytes), bits};
    default:
      return std::nullopt;
  }
}

Result<void> change_link(nl_sock* socket, int index, const Link& changes, std::string_view what) {
  const Link original = own<Link>(rtnl_link_alloc());
  rtnl_link_set_ifindex(original.get(), index);
  return done(what, rtnl_link_change(socket, original.get(), changes.get(), 0));
}

Route make_route(int link, const Prefix& prefix) {
  Route route = own<Route>(rtnl_route_alloc());
  const Address destination = to_netlink(prefix.masked());
  rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(family(prefix)));
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_scope(route.get(), RT_SCOPE_LINK);
  rtnl_route_set_dst(route.get(), destination.get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  if (hop == nullptr) throw std::bad_alloc();
  rtnl_route_nh_set_ifindex(hop, link);
  rtnl_route_add_nexthop(route.get(), hop);
  return route;
}

}  // namespace

void Netlink::CloseSocket::operator()(nl_sock* socket) const noexcept {
  nl_socket_free(socket);
}

Result<Netlink> Netlink::connect() {
  Socket socket = own<Socket>(nl_socket_alloc());
  if (const int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) {
    return fail_netlink("opening the routing socket", code);
  }
  return Netlink(std::move(socket));
}

Result<std::vector<HostAddress>> Netlink::addresses() {
  nl_cache* raw = nullptr;
  if (const int code = rtnl_addr_alloc_cache(socket_.get(), &raw); code < 0) {
    return fail_netlink("listing the host's addresses", code);
  }
  const Cache cache(raw);
  std::vector<HostAddress> found;
  for (nl_object* at = nl_cache_get_first(cache.get()); at != nullptr; at = nl_cache_get_next(at)) {
    auto* entry = reinterpret_cast<rtnl_addr*>(at);
    const int length = rtnl_addr_get_prefixlen(entry);
    const auto prefix = from_netlink(rtnl_addr_get_local(entry), length);
    char name[IF_NAMESIZE];
    if (!prefix || if_indextoname(rtnl_addr_get_ifindex(entry), name) == nullptr) continue;
    found.push_back({*prefix, name});
  }
  return found;
}

Result<void> Netlink::configure(int link, const LinkSettings& settings) {
  const Link changes = own<Link>(rtnl_link_alloc());
  const Address mac =
      own<Address>(nl_addr_build(AF_LLC, settings.mac.bytes.data(), settings.mac.bytes.size()));
  rtnl_link_set_addr(changes.get(), mac.get());
  rtnl_link_set_mtu(changes.get(), settings.mtu);
  rtnl_link_set_txqlen(changes.get(), settings.queue_length);
  return change_link(socket_.get(), link, changes, "setting MAC and MTU");
}

// libnl knows no name for this attribute.
Result<void> Netlink::limit_super_packets(int link, std::uint32_t bytes) {
  constexpr std::string_view kWhat = "limiting the size of super-packets";
  Message message = own<Message>(nlmsg_alloc_simple(RTM_NEWLINK, 0));
  const ifinfomsg header{.ifi_family = AF_UNSPEC, .ifi_index = link};
  int code =
      nlmsg_append(message.get(), const_cast<ifinfomsg*>(&header), sizeof header, NLMSG_ALIGNTO);
  if (code >= 0) code = nla_put_u32(message.get(), IFLA_GSO_MAX_SIZE, bytes);
  if (code >= 0) code = nl_send_sync(socket_.get(), message.release());
  return done(kWhat, code);
}

Result<void> Netlink::disable_address_generation(int link) {
  const Link changes = own<Link>(rtnl_link_alloc());
  const int code = rtnl_link_inet6_set_addr_gen_mode(changes.get(), IN6_ADDR_GEN_MODE_NONE);
  if (code < 0) return fail_netlink("disabling IPv6 address generation", code);
  return change_link(socket_.get(), link, changes, "disabling IPv6 address generation");
}

Result<void> Netlink::bring_up(int link) {
  const Link changes = own<Link>(rtnl_link_alloc());
  rtnl_link_set_flags(changes.get(), IFF_UP);
  return change_link(socket_.get(), link, changes, "bringing it up");
}

Result<void> Netlink::add_address(int link, const Prefix& address) {
  const LinkAddress request = own<LinkAddress>(rtnl_addr_alloc());
  const Address local = to_netlink(address);
  rtnl_addr_set_ifindex(request.get(), link);
  rtnl_addr_set_family(request.get(), family(address));
  if (const int code = rtnl_addr_set_local(request.get(), local.get()); code < 0) {
    return fail_netlink("adding " + address.to_string(), code);
  }
  rtnl_addr_set_prefixlen(request.get(), address.length);
  rtnl_addr_set_scope(request.get(), RT_SCOPE_UNIVERSE);
  if (!address.address.is_v4()) rtnl_addr_set_flags(request.get(), IFA_F_NODAD);
  return done("adding " + address.to_string(),
              rtnl_addr_add(socket_.get(), request.get(), NLM_F_EXCL));
}

bool Netlink::delivers_to(const IpAddress& address) {
  const Address destination = to_netlink(Prefix::host(address));
  rtnl_route* raw = nullptr;
  if (rtnl_route_lookup(socket_.get(), destination.get(), &raw) < 0) return false;
  const Route route = own<Route>(raw);
  return rtnl_route_get_type(route.get()) == RTN_LOCAL;
}

Result<bool> Netlink::add_route(int link, const Prefix& prefix) {
  const Route route = make_route(link, prefix);
  const int code = rtnl_route_add(socket_.get(), route.get(), NLM_F_EXCL);
  if (code == -NLE_EXIST) return false;
  if (code < 0) return fail_netlink("adding a route to " + prefix.to_string(), code);
  return true;
}

Result<void> Netlink::remove_route(int link, const Prefix& prefix) {
  const Route route = make_route(link, prefix);
  const int code = rtnl_route_delete(socket_.get(), route.get(), 0);
  if (code == -NLE_OBJ_NOTFOUND) return {};
  return done("removing the route to " + prefix.to_string(), code);
}

}  // namespace ipop::kni
