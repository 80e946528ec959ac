// The kernel's routing socket, with just the questions and orders that one interface takes.
// One thread at a time. Every call waits for the kernel's answer; none is for the packet path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

struct nl_sock;

namespace ipop::kni {

struct LinkSettings {
  MacAddress mac;
  std::uint16_t mtu = 0;
  std::uint32_t queue_length = 0;  // frames that the kernel keeps for a slow reader
};

struct HostAddress {
  Prefix prefix;
  std::string link;  // name of the interface that has it
};

class Netlink {
 public:
  [[nodiscard]] static Result<Netlink> connect();

  // Every address of every interface, up or down.
  [[nodiscard]] Result<std::vector<HostAddress>> addresses();

  // `link` is an interface index.
  [[nodiscard]] Result<void> configure(int link, const LinkSettings& settings);
  // The kernel segments what is larger, in bytes, before it reaches the link.
  [[nodiscard]] Result<void> limit_super_packets(int link, std::uint32_t bytes);
  // No address is made up from the MAC when the link comes up. Fails where IPv6 is off.
  [[nodiscard]] Result<void> disable_address_generation(int link);
  [[nodiscard]] Result<void> bring_up(int link);
  // IPv6 does not wait for duplicate address detection. The kernel may still take a moment before
  // it delivers to the address: see delivers_to().
  [[nodiscard]] Result<void> add_address(int link, const Prefix& address);
  // Would the kernel take a packet for this address for its own?
  [[nodiscard]] bool delivers_to(const IpAddress& address);

  // `prefix` is reached through `link` without a gateway. False if the host already has a route to
  // exactly this prefix.
  [[nodiscard]] Result<bool> add_route(int link, const Prefix& prefix);
  // A route that is gone already is no error.
  [[nodiscard]] Result<void> remove_route(int link, const Prefix& prefix);

 private:
  struct CloseSocket {
    void operator()(nl_sock* socket) const noexcept;
  };
  using Socket = std::unique_ptr<nl_sock, CloseSocket>;

  explicit Netlink(Socket socket) noexcept : socket_(std::move(socket)) {}

  Socket socket_;
};

}  // namespace ipop::kni
