#include "overlay/address_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/fd.hpp"

namespace ipop::overlay {
namespace {

constexpr std::uint32_t kGroups =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

int open_socket() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  to.nl_groups = kGroups;
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::runtime_error(std::string("cannot follow changes of addresses: ") +
                             std::strerror(errno));
  }
  return socket.release();
}

}  // namespace

AddressWatch::AddressWatch(asio::io_context& io, std::function<void()> on_change)
    : socket_(io, open_socket()), on_change_(std::move(on_change)) {
  wait();
}

void AddressWatch::stop() {
  socket_.close();
}

void AddressWatch::wait() {
  socket_.async_wait(
      asio::posix::stream_descriptor::wait_read, [this](const std::error_code& error) {
        if (error) return;
        // What they say is asked for anew; a queue that overflowed (ENOBUFS) says enough, too.
        std::array<std::uint8_t, 8192> ignored;
        while (::recv(socket_.native_handle(), ignored.data(), ignored.size(), 0) > 0 ||
               errno == ENOBUFS) {
        }
        on_change_();
        if (socket_.is_open()) wait();
      });
}

}  // namespace ipop::overlay
