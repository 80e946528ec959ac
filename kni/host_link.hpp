// The interface `tapipop` as the host sees it: created, addressed and up when the
// constructor returns, and gone with the destructor or with the process. No packet passes here
// (tap_port.hpp). Start-up thread, then the overlay thread for routes; never two at a time.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "kni/netlink.hpp"
#include "kni/tap_device.hpp"

namespace ipop::kni {

struct HostLinkSettings {
  std::string name = "tapipop";
  std::uint16_t mtu = 1280;
  std::size_t queues = 1;  // of the tap: one for each port
  // With the length of the subnet, 192.168.10.10/24. At least one; the first gives the MAC.
  std::vector<Prefix> addresses;
};

class HostLink {
 public:
  // Throws std::runtime_error with what to do, and leaves nothing behind: if the device or the
  // right to it is missing, the name is taken, an address or its subnet is on another interface.
  explicit HostLink(const HostLinkSettings& settings);

  // `prefix` is reached through this interface from now on. One that was added before, or that is
  // part of our own subnet, is no error and nothing to do. Fails for a prefix that the host routes
  // elsewhere, for a family of which the interface has no address, and for a default route: it
  // would lead the overlay's own datagrams into the overlay.
  [[nodiscard]] Result<void> add_route(const Prefix& prefix);
  // Only what add_route added is removed; anything else is no error.
  [[nodiscard]] Result<void> remove_route(const Prefix& prefix);

  // The tap; owned here, so the link outlives the ports.
  [[nodiscard]] const Tap& tap() const noexcept { return tap_; }
  [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
  [[nodiscard]] std::uint16_t mtu() const noexcept { return settings_.mtu; }
  [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
  [[nodiscard]] std::vector<IpAddress> own_addresses() const;

 private:
  void refuse_conflicts();
  void set_up(int link);
  void wait_until_usable(const IpAddress& address);

  HostLinkSettings settings_;
  MacAddress mac_;
  Netlink netlink_;
  Tap tap_;
  int link_ = 0;
  std::set<Prefix> routes_;
};

}  // namespace ipop::kni
