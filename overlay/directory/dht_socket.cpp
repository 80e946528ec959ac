#include "overlay/directory/dht_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ipop::overlay {

dht::SockAddr to_dht(const Endpoint& endpoint) {
  sockaddr_storage storage;
  const std::size_t length = endpoint.to_sockaddr(storage);
  return {storage, static_cast<socklen_t>(length)};
}

Endpoint from_dht(const dht::SockAddr& address) {
  sockaddr_storage storage{};
  if (!address) return {};
  std::memcpy(&storage, address.get(), std::min<std::size_t>(address.getLength(), sizeof storage));
  return Endpoint::from_sockaddr(storage);
}

DhtSocket::DhtSocket(Send send, bool ipv4, bool ipv6)
    : send_(std::move(send)), ipv4_(ipv4), ipv6_(ipv6) {
  if (ipv4_) bound4_.setFamily(AF_INET);
  if (ipv6_) bound6_.setFamily(AF_INET6);
}

int DhtSocket::sendTo(const dht::SockAddr& to, const std::uint8_t* data, std::size_t size,
                      bool /*replied*/) {
  const Endpoint endpoint = from_dht(to);
  if (endpoint.port == 0) return EAFNOSUPPORT;
  ++sent_;
  send_(endpoint, {data, size});
  return 0;
}

const dht::SockAddr& DhtSocket::getBoundRef(sa_family_t family) const {
  return family == AF_INET6 ? bound6_ : bound4_;
}

}  // namespace ipop::overlay
