// Where the datagrams of one of our addresses leave: their headers, and the neighbour that the last
// one went to, since most often the next one goes there, too. One lcore.
#pragma once

#include <cstdint>

#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "engine/net/udp_packet.hpp"

namespace ipop::engine {

class Way {
 public:
  Way(const MacAddress& from, std::uint16_t vlan, const Prefix& own) noexcept
      : headers_(from, vlan, own.address), v4_(own.address.is_v4()) {
    if (!v4_) return;
    mask_ = own.length == 0 ? 0 : UINT32_MAX << (32 - own.length);
    network_ = own.address.v4() & mask_;
  }

  [[nodiscard]] const UdpHeaders& headers() const noexcept { return headers_; }
  [[nodiscard]] bool is_v4() const noexcept { return v4_; }

  // Where the last one went if this one goes there, too; else nullptr.
  [[nodiscard]] const MacAddress* last_if_for(const IpAddress& to) const noexcept {
    if (!known_) return nullptr;
    if (!v4_) return to == last_to_ ? &mac_ : nullptr;
    const std::uint32_t address = to.v4();
    const bool on_link = (address & mask_) == network_;
    // Neither 0.0.0.0 nor a group: nobody's.
    const bool beyond = by_gateway_ && address - 1 < 0xdfffffff;
    return (on_link ? address == last_hop_ : beyond) ? &mac_ : nullptr;
  }
  void remember(const IpAddress& to, const IpAddress& next_hop, const MacAddress& mac) noexcept {
    known_ = true;
    mac_ = mac;
    last_to_ = to;
    last_hop_ = v4_ ? next_hop.v4() : 0;
    by_gateway_ = next_hop != to;
  }
  // Now and then, so that neighbours know that they are used; and when one has moved.
  void forget() noexcept { known_ = false; }

 private:
  UdpHeaders headers_;
  std::uint32_t network_ = 0;  // IPv4: what is on the link
  std::uint32_t mask_ = 0;
  std::uint32_t last_hop_ = 0;
  MacAddress mac_;
  bool v4_;
  bool known_ = false;
  bool by_gateway_ = false;
  IpAddress last_to_;
};

}  // namespace ipop::engine
