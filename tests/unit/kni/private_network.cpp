#include "private_network.hpp"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>

namespace ipop::kni::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(2);

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::ranges::copy(name, request.ifr_name);
  return request;
}

Fd query_socket() {
  return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

unsigned ones(const sockaddr* mask) {
  sockaddr_storage storage{};
  std::memcpy(&storage, mask,
              mask->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  const IpAddress address = Endpoint::from_sockaddr(storage).address;
  unsigned count = 0;
  for (std::size_t i = address.is_v4() ? 12 : 0; i < 16; ++i) {
    count += static_cast<unsigned>(std::popcount(address.bytes()[i]));
  }
  return count;
}

}  // namespace

void PrivateNetwork::SetUp() {
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0)
      << "a network namespace of its own needs root: " << std::strerror(errno);
  set_up("lo", true);
}

Interface look_at(const std::string& name) {
  const Fd socket = query_socket();
  ifreq request = request_for(name);
  Interface found;
  found.exists = ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0;
  if (!found.exists) return found;
  found.up = (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
  EXPECT_EQ(::ioctl(socket.get(), SIOCGIFMTU, &request), 0);
  found.mtu = request.ifr_mtu;
  EXPECT_EQ(::ioctl(socket.get(), SIOCGIFTXQLEN, &request), 0);
  found.queue_length = request.ifr_qlen;
  EXPECT_EQ(::ioctl(socket.get(), SIOCGIFHWADDR, &request), 0);
  found.mac = MacAddress::at(reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data));
  return found;
}

std::string addresses_of(const std::string& name) {
  ifaddrs* raw = nullptr;
  EXPECT_EQ(::getifaddrs(&raw), 0);
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(raw, &::freeifaddrs);
  std::set<std::string> sorted;
  for (const ifaddrs* at = all.get(); at != nullptr; at = at->ifa_next) {
    if (name != at->ifa_name || at->ifa_addr == nullptr) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const IpAddress address = Endpoint::from_sockaddr(storage).address;
    sorted.insert(address.to_string() + "/" + std::to_string(ones(at->ifa_netmask)));
  }
  std::string line;
  for (const std::string& address : sorted)
    line += (line.empty() ? "" : " ") + address;
  return line;
}

void set_up(const std::string& name, bool up) {
  const Fd socket = query_socket();
  ifreq request = request_for(name);
  ASSERT_EQ(::ioctl(socket.get(), SIOCGIFFLAGS, &request), 0) << name;
  const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
  request.ifr_flags = static_cast<short>(flags);
  ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0) << name;
}

void delete_interface(const std::string& name) {
  const std::unique_ptr<nl_sock, decltype(&nl_socket_free)> socket(nl_socket_alloc(),
                                                                   &nl_socket_free);
  ASSERT_EQ(nl_connect(socket.get(), NETLINK_ROUTE), 0);
  const std::unique_ptr<rtnl_link, decltype(&rtnl_link_put)> link(rtnl_link_alloc(),
                                                                  &rtnl_link_put);
  rtnl_link_set_name(link.get(), name.c_str());
  ASSERT_EQ(rtnl_link_delete(socket.get(), link.get()), 0) << name;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  ASSERT_TRUE(file) << path;
}

Fd make_tun(const std::string& name, int flags, bool persistent) {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ifreq request = request_for(name);
  request.ifr_flags = static_cast<short>(flags);
  EXPECT_EQ(::ioctl(fd.get(), TUNSETIFF, &request), 0) << name << ": " << std::strerror(errno);
  EXPECT_EQ(::ioctl(fd.get(), TUNSETPERSIST, persistent ? 1 : 0), 0);
  return fd;
}

Fd udp_socket(const Endpoint& local) {
  Fd fd(::socket(local.address.is_v4() ? AF_INET : AF_INET6,
                 SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const auto length = static_cast<socklen_t>(local.to_sockaddr(storage));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0)
      << local.to_string() << ": " << std::strerror(errno);
  return fd;
}

int send_to(const Fd& socket, const Endpoint& to, const std::string& text) {
  sockaddr_storage storage;
  const auto length = static_cast<socklen_t>(to.to_sockaddr(storage));
  const ssize_t sent = ::sendto(socket.get(), text.data(), text.size(), 0,
                                reinterpret_cast<const sockaddr*>(&storage), length);
  return sent < 0 ? errno : 0;
}

std::string receive(const Fd& socket, Endpoint* from) {
  std::array<char, 2048> text;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ssize_t got = -1;
  const bool arrived = eventually(socket.get(), POLLIN, [&] {
    got = ::recvfrom(socket.get(), text.data(), text.size(), 0,
                     reinterpret_cast<sockaddr*>(&storage), &length);
    return got >= 0;
  });
  if (!arrived) return "";
  if (from != nullptr) *from = Endpoint::from_sockaddr(storage);
  return {text.data(), static_cast<std::size_t>(got)};
}

bool eventually(int fd, short events, const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd wait{fd, events, 0};
    ::poll(&wait, 1, static_cast<int>(left.count()));
  }
  return true;
}

std::string in_child(const std::function<std::string()>& action) {
  std::array<int, 2> ends;
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string said = action();
    const ssize_t written = ::write(write_end.get(), said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  write_end.reset();
  std::string said;
  std::array<char, 256> piece;
  for (ssize_t got; (got = ::read(read_end.get(), piece.data(), piece.size())) > 0;) {
    said.append(piece.data(), static_cast<std::size_t>(got));
  }
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  return said;
}

}  // namespace ipop::kni::testing
