// The Ethernet addresses of the virtual network. Nobody assigns them: each is derived from an
// inner IP address, so that the answer to "who has" is known without asking anybody.
// Values: any thread, no allocation except to_string.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/ip.hpp"

namespace ipop::kni {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  // From 6 readable bytes.
  [[nodiscard]] static MacAddress at(const std::uint8_t* from) noexcept {
    MacAddress mac;
    std::memcpy(mac.bytes.data(), from, mac.bytes.size());
    return mac;
  }
  // IPv4 a.b.c.d is 02:49:a:b:c:d; IPv6 is 06 and 40 bits of a hash. Both are locally administered
  // and unicast (IEEE 802 §8.4), and the first byte keeps the families apart. Two IPv6 addresses
  // may share one: harmless, since frames are forwarded by their IP address.
  [[nodiscard]] static MacAddress derived_from(const IpAddress& address) noexcept;

  void write_to(std::uint8_t* at) const noexcept { std::memcpy(at, bytes.data(), bytes.size()); }
  [[nodiscard]] bool is_group() const noexcept { return (bytes[0] & 1) != 0; }
  [[nodiscard]] bool is_zero() const noexcept { return *this == MacAddress{}; }
  // "02:49:c0:a8:0a:0a".
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const MacAddress&, const MacAddress&) noexcept = default;
};

}  // namespace ipop::kni
