// Ethernet addresses. Values: any thread, no allocation except to_string.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

namespace ipop {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  // From 6 readable bytes.
  [[nodiscard]] static MacAddress at(const std::uint8_t* from) noexcept {
    MacAddress mac;
    std::memcpy(mac.bytes.data(), from, mac.bytes.size());
    return mac;
  }
  [[nodiscard]] static constexpr MacAddress broadcast() noexcept {
    return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }

  void write_to(std::uint8_t* at) const noexcept { std::memcpy(at, bytes.data(), bytes.size()); }
  [[nodiscard]] bool is_group() const noexcept { return (bytes[0] & 1) != 0; }
  [[nodiscard]] bool is_zero() const noexcept { return *this == MacAddress{}; }
  // Of one station: what a sender's address has to be.
  [[nodiscard]] bool is_unicast() const noexcept { return !is_group() && !is_zero(); }
  // "02:49:c0:a8:0a:0a".
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const MacAddress&, const MacAddress&) noexcept = default;
};

}  // namespace ipop
